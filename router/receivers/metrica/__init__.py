"""Yandex.Metrica."""
