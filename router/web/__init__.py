"""The only room that knows FastAPI: the REST API for programs and sites, and the supervisor's
pages.
"""
