"""Writes the sections of cel_custom.conf and cdrel_custom.conf that keep the CEL log."""

from pathlib import Path

from router.errors import ConfigurationError

_CEL_FIELDS = (
    *(
        "eventtype",
        "eventtime(double)",
        "uniqueid",
        "linkedid",
        "channame",
        "num",
        "name",
        "exten",
        "context",
    ),
    *("userdeftype", "eventextra"),
)

# The time of writing, a moment after the event: an older cel_custom has the event's time only in
# `dateformat`.
_CEL_COLUMNS = (
    *(
        "${eventtype}",
        "${EPOCH}.${STRFTIME(,UTC,%6q)}",
        "${CHANNEL(uniqueid)}",
        "${CHANNEL(linkedid)}",
    ),
    *(
        "${CHANNEL(channame)}",
        "${CALLERID(num)}",
        "${CALLERID(name)}",
        "${CHANNEL(exten)}",
        "${CHANNEL(context)}",
    ),
    *("${userdeftype}", "${eventextra}"),
)

_LONGEST_SECTION = 79  # bytes of a section's name in Asterisk's configuration files


def cel_mapping(cel_log: Path, *, advanced: bool) -> str:
    """The CEL log's columns, with a time that does not depend on the host's `dateformat`."""
    head = "; Written by `ringtrace prepare`: router/asterisk/cel_log.py reads these columns.\n"
    if advanced:
        return (
            f"{head}[{cel_section(cel_log)}]\nquoting_method = all\nfields = "
            f"{','.join(_CEL_FIELDS)}\n"
        )
    columns = ",".join(f"${{CSV_QUOTE({column})}}" for column in _CEL_COLUMNS)
    return f"{head}[mappings]\n{cel_log.name} => {columns}\n"


def cel_section(cel_log: Path) -> str:
    """The section name for the log's file: relative to Asterisk's log directory, otherwise the full
    path. Raises `ConfigurationError` for a path that Asterisk would cut.
    """
    if cel_log.parent.name == "cel-custom":
        section = cel_log.name
    else:
        section = str(cel_log)

    if len(section.encode()) > _LONGEST_SECTION:
        raise ConfigurationError(
            f"RINGTRACE_CEL_LOG_PATH has more than {_LONGEST_SECTION} letters, which Asterisk "
            "cuts: "
            "name a file in the directory cel-custom of its log, or a shorter path"
        )
    return section
