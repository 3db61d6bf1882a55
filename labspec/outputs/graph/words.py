"""What the picture itself says, in the languages of sheets."""

from __future__ import annotations

from collections.abc import Mapping

WORD_LANGUAGES = ("en", "fr")
KINDS: Mapping[str, Mapping[str, str]] = {
    "service": {"en": "service", "fr": "service"},
    "network": {"en": "network", "fr": "réseau"},
    "volume": {"en": "volume", "fr": "volume"},
    "image": {"en": "image", "fr": "image"},
    "port": {"en": "published port", "fr": "port publié"},
    "secret": {"en": "secret", "fr": "secret"},
    "config": {"en": "config", "fr": "config"},
    "unit": {"en": "systemd unit", "fr": "unité systemd"},
    "rkt": {"en": "rkt pod", "fr": "pod rkt"},
    "bundle": {"en": "OCI bundle", "fr": "bundle OCI"},
    "machine": {"en": "nspawn machine", "fr": "machine nspawn"},
    "package": {"en": "package", "fr": "paquet"},
    "user": {"en": "user", "fr": "utilisateur"},
    "group": {"en": "group", "fr": "groupe"},
    "file": {"en": "file", "fr": "fichier"},
    "sysctl": {"en": "kernel parameter", "fr": "paramètre du noyau"},
    "kernel_arg": {"en": "kernel argument", "fr": "argument du noyau"},
    "daemon": {"en": "Docker daemon", "fr": "démon Docker"},
}
FAMILIES: Mapping[str, Mapping[str, str]] = {
    **{name: KINDS[name] for name in ("port", "service", "network", "volume", "image", "secret", "config", "unit")},
    "host": {"en": "setting of the host", "fr": "réglage de l\u2019hôte"},
    "runtime": {"en": "run without Docker", "fr": "exécuté sans Docker"},
}
EDGES: Mapping[str, Mapping[str, str]] = {
    "uses": {"en": "uses", "fr": "utilise"},
    "order": {"en": "starts after", "fr": "démarre après"},
    "shares": {"en": "shares its namespaces", "fr": "partage ses espaces de noms"},
}
TITLE: Mapping[str, str] = {
    "en": "{name}: what is in it, and what refers to what",
    "fr": "{name}\u00a0: ce qu\u2019il y a dedans, et ce qui se rapporte à quoi",
}
HOST: Mapping[str, str] = {"en": "Settings of this host", "fr": "Réglages de cette machine"}
EMPTY: Mapping[str, str] = {"en": "nothing", "fr": "rien"}


def word(words: Mapping[str, str], language: str) -> str:
    """Return a word in a language; in English where it is not there in it."""
    return words.get(language.partition("-")[0], words["en"])
