"""What visitors wrote and no call needs goes by age; what a call rests on stays."""

from datetime import timedelta

from router.domain.visitors.visit import Form, PageView, Tap, Visit
from router.service.admin.retention import remove_old
from router.service.visitors.leasing import new_id
from router.store.engine import SqlStore
from tests.integration.test_attribution_of_calls import a_call
from tests.integration.visit_world import everything
from tests.support.builders import DID, NOON, furnish, later, visit, visitor

OLD, NEW = NOON - timedelta(days=500), NOON - timedelta(days=10)


async def test_what_is_old_and_needed_by_no_call_is_removed(store: SqlStore) -> None:
    keys = {name: new_id(NEW if name == "new" else OLD) for name in ("caller", "reader", "new")}
    texts = {"landing": "/tyres", "parameters": {"a": "b"}}
    people = [visitor(name) for name in keys]
    visits = [visit(key, visitor_id=name, started_at=OLD, **texts) for name, key in keys.items()]
    await furnish(store, *people, *visits)
    async with store.write() as session:
        for name, key in keys.items():
            at = NEW if name == "new" else OLD
            phone = f"+7916000000{len(name)}"
            await session.add(
                PageView(id=new_id(at), visit_id=key, at=at, path="/"),
                Tap(id=new_id(at), visit_id=key, number=DID, at=at),
                Form(id=new_id(at), visit_id=key, phone=phone, at=at),
            )
        await session.save_calls([a_call(visitor_id="caller", visit_id=keys["caller"])])
    assert await remove_old(store, NOON - timedelta(days=400), pause=0) == 4
    for kind in (PageView, Tap, Form):
        assert {one.visit_id for one in await everything(store, kind)} == {
            keys["caller"],
            keys["new"],
        }
    emptied = {
        one.visitor_id: (one.landing, one.parameters) for one in await everything(store, Visit)
    }
    assert emptied == {
        "caller": ("/tyres", {"a": "b"}),
        "reader": (None, {}),
        "new": ("/tyres", {"a": "b"}),
    }
    assert await everything(store, Visit)


async def test_a_form_whose_phone_has_called_stays(store: SqlStore) -> None:
    key = new_id(OLD)
    await furnish(store, visitor(), visit(key, started_at=OLD))
    async with store.write() as session:
        await session.add(Form(id=new_id(OLD), visit_id=key, phone="+74951234567", at=OLD))
        await session.save_calls([a_call(at=later(0).timestamp() - NOON.timestamp())])
    await remove_old(store, NOON, pause=0)
    assert len(await everything(store, Form)) == 1
