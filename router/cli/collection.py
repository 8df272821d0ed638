"""Lists, shows and removes sites, destinations, pools, numbers and webhooks."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic

import typer

from router.cli.opening import read_settings, with_store
from router.cli.output import AsJson, Column, print_json, print_record, print_table, say
from router.config import Settings
from router.service.admin import setup
from router.service.admin.setup import Thing
from router.service.ports import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection(Generic[Thing]):
    """One kind of object that the administrator sets up."""

    kind: type[Thing]
    word: str
    columns: Sequence[Column]
    row: Callable[[Thing], Sequence[Any]]
    metavar: str = "KEY"
    group: str = ""  # of the commands, if it is not the word
    key: Callable[[str, Settings], str] = lambda text, _: text  # as typed → as kept

    @property
    def _command(self) -> str:
        return f"ringtrace {self.group or self.word}"

    @property
    def _see(self) -> str:
        return f"See `{self._command} list`."

    def print_all(self, things: Iterable[Thing], as_json: bool) -> None:
        """The list."""
        if as_json:
            print_json(list(things))
        else:
            empty = f"There is no {self.word}: `{self._command} add` adds one."
            print_table(self.columns, (self.row(thing) for thing in things), empty=empty)

    def find(self, as_json: bool, **equal: Any) -> None:
        """Print the objects with these values; None means any."""
        wanted = {name: value for name, value in equal.items() if value is not None}
        self.print_all(
            with_store(lambda store: setup.list_all(store, self.kind, **wanted)), as_json
        )

    def get(self, key: str) -> Thing:
        """One of them. Raises `NotFound`."""
        settings = read_settings()
        return with_store(
            lambda store: setup.get_one(store, self.kind, self.key(key, settings)), settings
        )

    def tell(self, thing: Thing, done: str, as_json: bool) -> None:
        """Print what was done to an object, e.g. `added`."""
        if as_json:
            print_json(thing)
        else:
            say(f"The {self.word} {self.row(thing)[0]} was {done}.")

    def add_show(self, app: typer.Typer) -> None:
        """Register `show`."""

        @app.command(help=f"Show one {self.word}.")
        def show(
            key: Annotated[str, typer.Argument(metavar=self.metavar, help=self._see)],
            as_json: AsJson = False,
        ) -> None:
            thing = self.get(key)
            if as_json:
                print_json(thing)
            else:
                print_record(thing)

    def add_remove(self, app: typer.Typer) -> None:
        """Register `remove`."""

        @app.command(help=f"Remove one or more {self.word}s; refused while in use.")
        def remove(
            keys: Annotated[list[str], typer.Argument(metavar=self.metavar, help=self._see)],
            as_json: AsJson = False,
        ) -> None:
            settings = read_settings()
            kept = [self.key(key, settings) for key in keys]

            async def work(store: Store) -> None:
                for key, shown in zip(kept, keys, strict=True):
                    await setup.remove(store, self.kind, key)
                    if not as_json:
                        say(f"The {self.word} {shown} was removed.")

            with_store(work, settings)
            if as_json:
                print_json({"removed": kept})


def changes(**given: Any) -> dict[str, Any]:
    """The options that were given, without None."""
    return {name: value for name, value in given.items() if value is not None}


def cleared(**flags: bool) -> dict[str, Any]:
    """The fields that `--no-…` clears."""
    return {name: None for name, given in flags.items() if given}
