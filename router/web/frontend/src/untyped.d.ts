/* Packages that bring no types of their own and are imported for their effect alone. */
declare module "htmx-ext-sse";
