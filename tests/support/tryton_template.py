"""Makes the database that every test Tryton starts from: `python -m tests.support.tryton_template
DIRECTORY`.

It holds what a small company has that set Tryton up for calls: one company, the field
`ga_client_id` of a module of its own, one employee, and four users with a key each. `ringtrace` and
`telephony` have exactly the groups that the adapter asks for, `reader` may look and no more,
`admin` may do everything. The keys are left in `keys.json`.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

DATABASE = "crm"
FIELD = "ga_client_id"
GROUPS = {
    "ringtrace": ("Sales", "Sale Opportunity"),
    "telephony": ("Sales", "Sale Opportunity"),
    "reader": ("Sales",),
}
_MODULE = {
    "trytond_ga_client_id/__init__.py": "",
    "trytond_ga_client_id/tryton.cfg": """[tryton]
version=8.0.0
depends:
    ir
    res
    party
    sale_opportunity

[register]
model:
    models.Party
    models.Opportunity
""",
    "trytond_ga_client_id/models.py": f"""from trytond.model import fields
from trytond.pool import PoolMeta


class Party(metaclass=PoolMeta):
    __name__ = "party.party"
    {FIELD} = fields.Char("Google client ID")


class Opportunity(metaclass=PoolMeta):
    __name__ = "sale.opportunity"
    {FIELD} = fields.Char("Google client ID")
""",
    # Tryton finds modules by the metadata of installed packages: this is all that `pip install`
    # would leave of it.
    "trytond_ga_client_id-8.0.0.dist-info/METADATA": "Name: trytond-ga-client-id\nVersion: 8.0.0\n",
    "trytond_ga_client_id-8.0.0.dist-info/entry_points.txt": f"[trytond.modules]\n{FIELD} = trytond_ga_client_id\n",  # noqa: E501
}


def build(home: Path) -> None:
    """The whole template in `home`, which is empty."""
    for name, text in _MODULE.items():
        path = home / "module" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    (home / "data").mkdir()
    (home / "data" / f"{DATABASE}.sqlite").touch()
    (home / "password").write_text("not-a-secret")
    configuration(home, home / "data")
    made = subprocess.run(
        [sys.executable, "-m", "tests.support.tryton_template", str(home)],
        env=surroundings(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    assert made.returncode == 0, made.stderr


def configuration(home: Path, data: Path) -> Path:
    """trytond's configuration file, for databases in `data`."""
    conf = home / "trytond.conf"
    conf.write_text(f"[database]\nuri = sqlite://\npath = {data}\n")
    return conf


def surroundings(home: Path) -> dict[str, str]:
    """The environment in which Tryton finds the module, and this file."""
    paths = (str(home / "module"), str(Path(__file__).parents[2]))
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(paths),
        "TRYTONPASSFILE": str(home / "password"),
    }


def _install(conf: Path) -> None:
    """Tryton's own `trytond-admin`, but for one thing: what its modules bring is not checked, which
    halves the time.
    """
    from trytond import config

    config.update_etc(str(conf))
    from trytond.cli.admin import main
    from trytond.model import ModelStorage

    check = vars(ModelStorage)["_validate"]
    ModelStorage._validate = classmethod(lambda *_, **__: None)
    update = ("-u", FIELD, "--activate-dependencies", "--email", "admin@example.com")
    sys.argv = ["trytond-admin", "-c", str(conf), "-d", DATABASE, *update]
    main()
    ModelStorage._validate = check


def _fill(home: Path) -> None:
    from proteus import Model, Wizard, config

    config.set_trytond(DATABASE, config_file=str(home / "trytond.conf"))

    def make(model: str, **values: Any) -> Any:
        made = Model.get(model)(**values)
        made.save()
        return made

    make("country.country", name="Russia", code="RU", code3="RUS", code_numeric="643")
    wizard = Wizard("company.company.config")
    wizard.execute("company")
    wizard.form.party = make("party.party", name="Our Firm")
    wizard.form.currency = make(
        "currency.currency", name="Rouble", symbol="₽", code="RUB", numeric_code="643"
    )
    wizard.execute("add")
    (company,) = Model.get("company.company").find([])
    make("company.employee", company=company, party=make("party.party", name="Emma"))
    (admin,) = Model.get("res.user").find([("login", "=", "admin")])
    keys = {"admin": make("res.user.application", user=admin, application="rest").key}
    for login, names in GROUPS.items():
        user = Model.get("res.user")(name=login.title(), login=login)
        user.companies.append(Model.get("company.company")(company.id))
        user.company = company
        for name in names:
            user.groups.extend(Model.get("res.group").find([("name", "=", name)]))
        user.save()
        keys[login] = make("res.user.application", user=user, application="rest").key
    (home / "keys.json").write_text(json.dumps(keys))


if __name__ == "__main__":
    place = Path(sys.argv[1])
    _install(place / "trytond.conf")
    _fill(place)
