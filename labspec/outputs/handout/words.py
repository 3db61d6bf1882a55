"""The sheet's own words, dates and numbers, as French and English write them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final

NARROW: Final = "\u202f"
"""The space before ; ! ? and inside guillemets in French, and between thousands: no line is broken there."""
NO_BREAK: Final = "\u00a0"

WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    "skip": {"en": "Skip to the sheet", "fr": "Aller au sujet"},
    "contents": {"en": "Contents", "fr": "Sommaire"},
    "teacher": {"en": "Teacher's edition", "fr": "Édition de l\u2019enseignant"},
    "teacher_note": {
        "en": "With solutions and expected answers: not for students.",
        "fr": f"Avec solutions et réponses attendues{NO_BREAK}: ne pas distribuer.",
    },
    "name": {"en": "Name", "fr": "Nom"},
    "date": {"en": "Date", "fr": "Date"},
    "output": {"en": "Output", "fr": "Sortie"},
    "errors": {"en": "Standard error", "fr": "Sortie d\u2019erreur"},
    "exit_code": {"en": "exit code", "fr": "code de retour"},
    "more_line": {"en": "{count} more line", "fr": "{count} ligne de plus"},
    "more_lines": {"en": "{count} more lines", "fr": "{count} lignes de plus"},
    "show_all": {"en": "Show all {count} lines", "fr": f"Afficher les {{count}}{NO_BREAK}lignes"},
    "show_less": {"en": "Show less", "fr": "Réduire"},
    "copy": {"en": "Copy", "fr": "Copier"},
    "copy_command": {"en": "Copy the command", "fr": "Copier la commande"},
    "copy_file": {"en": "Copy the file", "fr": "Copier le fichier"},
    "copied": {"en": "Copied", "fr": "Copié"},
    "not_copied": {"en": "Could not be copied", "fr": "La copie a échoué"},
    "dark_theme": {"en": "Dark theme", "fr": "Thème sombre"},
    "captured": {"en": "Captured on {date}", "fr": "Capturé le {date}"},
    "in": {"en": "in {place}", "fr": "dans {place}"},
    "docker": {"en": "Docker {version}", "fr": "Docker {version}"},
    "kernel": {"en": "Linux {version}", "fr": "Linux {version}"},
    "recorded": {"en": "Recorded elsewhere", "fr": "Enregistré ailleurs"},
    "recorded_on": {"en": "{host}, {date}", "fr": "{host}, {date}"},
    "question": {"en": "Question {number}", "fr": f"Question{NO_BREAK}{{number}}"},
    "hint": {"en": "Hint", "fr": "Indice"},
    "solution": {"en": "Solution", "fr": "Solution"},
    "check": {"en": "Check", "fr": "Vérification"},
    "expected": {"en": "Expected", "fr": "Attendu"},
    "point": {"en": f"{{count}}{NO_BREAK}point", "fr": f"{{count}}{NO_BREAK}point"},
    "points": {"en": f"{{count}}{NO_BREAK}points", "fr": f"{{count}}{NO_BREAK}points"},
    "points_title": {"en": "Points", "fr": "Points"},
    "score": {"en": "Score", "fr": "Barème"},
    "score_got": {"en": "Score", "fr": "Note"},
    "total": {"en": "Total", "fr": "Total"},
    "figure": {"en": "Figure {number}", "fr": f"Figure{NO_BREAK}{{number}}"},
    "topology": {
        "en": "The lab: what is in it, and what hangs on what",
        "fr": f"Le TP{NO_BREAK}: ses éléments et leurs liens",
    },
    "colon": {"en": ":", "fr": f"{NO_BREAK}:"},
    "made_by": {"en": "Printed by labspec {version}", "fr": "Imprimé par labspec {version}"},
}
"""Word -> language -> text; {count} and the like stand for what `Tongue.say` is given."""

_MONTHS: Final[Mapping[str, tuple[str, ...]]] = {
    "en": (
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ),
    "fr": (
        "janvier",
        "février",
        "mars",
        "avril",
        "mai",
        "juin",
        "juillet",
        "août",
        "septembre",
        "octobre",
        "novembre",
        "décembre",
    ),
}


class Tongue:
    """One language of the sheet."""

    def __init__(self, language: str) -> None:
        self.language = language

    def say(self, word: str, **values: str | float) -> str:
        """Return one of WORDS, values filled in; numbers are written as the language writes them."""
        spoken = {name: value if isinstance(value, str) else self.number(value) for name, value in values.items()}
        return WORDS[word][self.language].format(**spoken)

    def count(self, singular: str, plural: str, count: float) -> str:
        """Return one of two words with its number: French says 0 and 1.5 in the singular, English only 1."""
        one = abs(count) < 2 if self.language == "fr" else count == 1
        return self.say(singular if one else plural, count=count)

    def points(self, count: float) -> str:
        """Return a number of points."""
        return self.count("point", "points", count)

    def number(self, value: float) -> str:
        """Return a number with at most two decimals."""
        text = f"{value:,.2f}".rstrip("0").rstrip(".")
        if self.language == "fr":
            return text.replace(",", NARROW).replace(".", ",")
        return text

    def quoted(self, text: str) -> str:
        """Return a text between the language's quotation marks."""
        return f"«{NARROW}{text}{NARROW}»" if self.language == "fr" else f"“{text}”"

    def date(self, value: str) -> str:
        """Return a date of ISO 8601, as precise as it is written: a year, a month, a day, or a day with its time.

        What is no such date is returned as it is.
        """
        if not re.fullmatch(r"\d{4}(-\d{2}(-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2})?)?)?)?", value):
            return value
        if len(value) == len("2018"):
            return value
        if len(value) == len("2018-09"):
            return self._month(value)
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return value
        day = "1er" if self.language == "fr" and moment.day == 1 else str(moment.day)
        spoken = f"{day}{NO_BREAK}{_MONTHS[self.language][moment.month - 1]} {moment.year}"
        return f"{spoken}{self._time(moment)}" if "T" in value else spoken

    def _month(self, value: str) -> str:
        year, _, month = value.partition("-")
        if not 1 <= int(month) <= len(_MONTHS[self.language]):
            return value
        return f"{_MONTHS[self.language][int(month) - 1]} {year}"

    def _time(self, moment: datetime) -> str:
        if self.language == "fr":
            return f" à {moment.hour}{NO_BREAK}h{NO_BREAK}{moment.minute:02}"
        return f", {moment.hour:02}:{moment.minute:02}"
