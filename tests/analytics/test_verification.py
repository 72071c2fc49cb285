"""verify_analytics finds every planted difference, names it right, invents none, and mends what it finds."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F

from analytics import comparison
from analytics.bookkeeping import Tombstone
from analytics.comparison import Content, Kind
from analytics.decoding import DECODERS
from analytics.mending import rebuild
from analytics.models import Order, OrderItem, Post, Product, ProductVariant, Supplier, User
from analytics.verification import Findings, Verification
from catalog.documents import Product as ProductDocument
from marketplace import mongo
from marketplace.events.outbox import OUTBOX
from tests.analytics import shop
from tests.analytics.conftest import apply
from tests.analytics.events import event, new_id
from users import services as users

pytestmark = [pytest.mark.usefixtures("mongodb"), pytest.mark.django_db(transaction=True)]

PARENTS = [User, Supplier, Product, Order, Post]
CHILDREN = [(ProductVariant, Product), (OrderItem, Order)]
Found = dict[str, tuple[Kind, ...]]


@pytest.fixture(autouse=True)
def filled(mongodb: str, transactional_db: None) -> None:
    """Tables that are right."""
    shop.fill()
    shop.project()
    assert verify() == {}


def verify(**options: Any) -> Found:
    """Return the kinds of differences by id of the entity, after checking that no more were counted."""
    found: Found = {}
    for decoder in DECODERS:
        findings = findings_of(decoder, **options)
        assert findings.counts.total() == sum(len(ids) for ids in findings.first.values())
        for kind, ids in findings.first.items():
            for one in ids:
                found[one] = (*found.get(one, ()), kind)
    return found


def findings_of(decoder: Any, **options: Any) -> Findings:
    return Verification(decoder, **{"settle_seconds": 0, "batch_size": 7} | options).run()


def mended(*planted: tuple[Any, Kind]) -> None:
    """Check that verify finds just these, mends them with --repair, and then finds nothing."""
    before = {str(one): (kind,) for one, kind in planted}
    assert verify() == before
    assert verify(repair=True) == before
    assert verify() == {}


def changed(row: models.Model, **changes: Any) -> models.Model:
    type(row)._default_manager.filter(pk=row.pk).update(**changes)
    return row


def copy(row: models.Model, **changes: Any) -> models.Model:
    """Add a row that is like another one but for the changes."""
    values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
    if "pk" in changes:
        values[row._meta.pk.attname] = changes.pop("pk")
    return type(row)._default_manager.create(**values | changes)


@pytest.mark.parametrize("model", PARENTS)
def test_planted_parents(model: type[models.Model]) -> None:
    before = shop.tables()
    rows = list(model._default_manager.order_by("pk")[:4])
    missing, stale, ahead, altered = rows if len(rows) == 4 else rows[:1] * 4
    extra = copy(altered, pk=new_id())
    if model is Supplier:  # there are two
        mended((extra.pk, Kind.EXTRA))
        for changes, kind in (({"version": 0}, Kind.STALE), ({"version": 9}, Kind.AHEAD), ({"city": ""}, Kind.ALTERED)):
            mended((changed(rows[0], **changes).pk, kind))
        pk = rows[0].pk
        rows[0].delete()
        mended((pk, Kind.MISSING))
    else:
        planted = [(extra.pk, Kind.EXTRA), (missing.pk, Kind.MISSING)]
        planted.append((changed(stale, version=models.F("version") - 1).pk, Kind.STALE))
        planted.append((changed(ahead, version=models.F("version") + 9).pk, Kind.AHEAD))
        planted.append((changed(altered, event_id="x").pk, Kind.ALTERED))
        missing.delete()
        mended(*planted)
    assert shop.tables() == before


@pytest.mark.parametrize(("model", "parent"), CHILDREN)
def test_planted_children(model: type[models.Model], parent: type[models.Model]) -> None:
    before = shop.tables()
    link = f"{parent._meta.model_name}_id"
    rows = {getattr(row, link): row for row in model._default_manager.order_by("pk")}
    missing, extra, altered = list(rows.values())[:3]
    model._default_manager.filter(pk=missing.pk).delete()
    copy(extra, id=None, **{"variant_key" if parent is Product else "item_id": "one more"})
    changed(altered, quantity=models.F("quantity") + 1)
    mended(*((getattr(row, link), Kind.ALTERED) for row in (missing, extra, altered)))
    assert shop.tables() == before


def slightly(field: Any, value: Any) -> Any:
    """Return a value that differs as little as the column can tell."""
    match field.get_internal_type():
        case "DateTimeField":
            return (value or datetime(2026, 1, 1, tzinfo=UTC)) + timedelta(microseconds=1)
        case "FloatField":
            return value + (value or 1) * 2**-52
        case "JSONField":
            return [*value, None] if isinstance(value, list) else (value or {}) | {"a": 1.0}
        case "IntegerField" | "BigIntegerField":
            return (value or 0) + 1
    if value and len(value) >= (field.max_length or 1000):
        return value[:-1] + ("é" if value[-1] != "é" else "e")
    return "" if value is None else f"{value} "


@pytest.mark.parametrize("model", [*PARENTS, ProductVariant, OrderItem])
def test_the_slightest_change_of_any_column_is_found(model: type[models.Model]) -> None:
    row = model._default_manager.order_by("pk").first()
    assert row
    entity_id = getattr(row, "product_id" if model is ProductVariant else "order_id" if model is OrderItem else "pk")
    for field in model._meta.concrete_fields:
        if field.primary_key or field.is_relation:
            continue
        changed(row, **{field.attname: slightly(field, getattr(row, field.attname))})
        expected = Kind.AHEAD if field.attname == "version" else Kind.ALTERED
        assert verify() == {str(entity_id): (expected,)}, field.attname
        changed(row, **{field.attname: getattr(row, field.attname)})
        assert verify() == {}, field.attname


def test_tombstones() -> None:
    gone = ProductDocument.collection().find_one({"status": "deleted"})
    assert gone
    buried = str(gone["_id"])
    alive = Product.objects.first()
    assert alive
    Tombstone.objects.filter(entity="product", entity_id=buried).delete()
    Tombstone.objects.create(
        entity="product", entity_id=alive.pk, version=alive.version + 1, deleted_at=alive.updated_at
    )
    mended((buried, Kind.MISSING), (alive.pk, Kind.AHEAD))
    back = copy(alive, pk=buried)
    mended((back.pk, Kind.EXTRA))
    Tombstone.objects.filter(entity="product", entity_id=buried).update(version=1)
    mended((buried, Kind.STALE))


@pytest.mark.parametrize("entity", ["user", "supplier", "product", "order", "post"])
def test_what_mongodb_does_not_have_never_comes_back(entity: str) -> None:
    identifier = new_id()
    first = event(f"{entity}.created", identifier)
    apply(first)
    mended((identifier, Kind.EXTRA))
    late = [first]
    if entity != "order":
        late += [event(f"{entity}.updated", identifier, 2), event(f"{entity}.deleted", identifier, 3)]
    assert apply(*late) == 0
    assert verify() == {}


def test_a_document_that_the_tables_cannot_hold_is_named_and_left() -> None:
    product = Product.objects.first()
    assert product
    query = {"_id": mongo.object_id(product.pk)}
    ProductDocument.collection().update_one(query, {"$set": {"name": "x" * 201}})
    assert verify(repair=True) == {product.pk: (Kind.REFUSED,)}
    assert findings_of(DECODERS[2], repair=True).wrong == 1
    assert Product.objects.filter(pk=product.pk).exists()


def test_what_moves_during_the_settle_time_is_not_judged() -> None:
    """A stale row whose event arrives in time, and one whose document is written again meanwhile."""
    arrives, written = User.objects.filter(deleted_at=None)[:2]
    for user in (arrives, written):
        users.user_update(caller=shop.SYSTEM, identifier=user.pk, changes={"profile.bio": "new"})

    def meanwhile(_seconds: float) -> None:
        mongo.database()[OUTBOX].delete_many({"key": written.pk})
        shop.project()
        users.user_update(caller=shop.SYSTEM, identifier=written.pk, changes={"profile.bio": "newer"})

    findings = findings_of(DECODERS[0], sleep=meanwhile, repair=True)
    assert (findings.counts.total(), findings.moving, findings.mended) == (0, 1, 0)


def test_more_is_wrong_than_fits_into_one_portion(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("analytics.verification.PORTION", 5)
    before = shop.tables()
    shop.empty()
    for number in range(20):
        User.objects.create(**before["users"][0] | {"user_id": f"{number:x}" * 3})  # keys that no document can have
    slept: list[float] = []
    findings = findings_of(DECODERS[0], settle_seconds=3, sleep=slept.append)
    assert findings.counts == {Kind.MISSING: len(before["users"]), Kind.EXTRA: 20}
    assert findings.rows == 20
    assert len(slept) > 3
    assert set(slept) == {3}
    for decoder in DECODERS:
        findings = findings_of(decoder, repair=True)
        assert findings.wrong == 0
        assert findings.mended == findings.counts.total()
    assert shop.tables() == before


def test_only_ranges_that_differ_are_gone_through(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Content] = []

    def watched(wanted: Content | None, found: Content) -> Kind | None:
        looked.append(found)
        return kind_of(wanted, found)

    kind_of = comparison._kind
    monkeypatch.setattr(comparison, "_kind", watched)
    assert verify(batch_size=5) == {}
    assert looked == []
    row = Post.objects.all()[7]
    mended((changed(row, like_count=F("like_count") + 1).pk, Kind.ALTERED))
    looked.clear()
    changed(row, like_count=F("like_count") + 1)
    assert findings_of(DECODERS[4], batch_size=5).counts == {Kind.ALTERED: 1}
    assert len(looked) == 6  # its range, and itself again


@pytest.mark.parametrize(("model", "parent"), CHILDREN)
def test_no_child_is_without_its_parent(model: type[models.Model], parent: type[models.Model]) -> None:
    """The database itself sees to it, unless somebody has switched foreign keys off."""
    child = model._default_manager.all()[0]
    with pytest.raises(IntegrityError), transaction.atomic():
        copy(child, id=None, **{f"{parent._meta.model_name}_id": new_id()})
    table, key = parent._meta.db_table, f"{parent._meta.model_name}_id"
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {table} WHERE {key} = %s", [getattr(child, key)])  # noqa: S608
    assert not model._default_manager.filter(**{key: getattr(child, key)}).exists()


@pytest.mark.parametrize("size", [1, 2, 7])
@pytest.mark.parametrize(("model", "parent"), CHILDREN)
def test_children_whose_parent_was_deleted_with_foreign_keys_off(
    model: type[models.Model], parent: type[models.Model], size: int
) -> None:
    """Some of rows that come back, some of a document that is deleted, some that MongoDB knows nothing of."""
    before = shop.tables()
    link = f"{parent._meta.model_name}_id"
    rows = list({getattr(row, link): row for row in model._default_manager.order_by("pk")}.values())
    unknown = [new_id(), new_id(), "zz"]
    planted = [(getattr(row, link), Kind.MISSING) for row in rows[:3]] + [(one, Kind.EXTRA) for one in unknown]
    if parent is Product:
        planted += [
            (str(one["_id"]), Kind.EXTRA) for one in ProductDocument.collection().find({"status": "deleted"}, limit=2)
        ]
    with connection.constraint_checks_disabled():
        for one, kind in planted:
            if kind is Kind.MISSING:
                parent._default_manager.filter(pk=one)._raw_delete(using="default")
            else:
                copy(rows[-1], id=None, **{link: one})
    assert verify(batch_size=size) == {one: (kind,) for one, kind in planted}
    rebuild(next(one for one in DECODERS if one.projection.model is parent), batch_size=size)
    assert verify() == {}
    assert shop.tables() == before


@pytest.mark.parametrize(("model", "parent"), CHILDREN)
def test_an_event_replaces_children_without_a_parent(model: type[models.Model], parent: type[models.Model]) -> None:
    created = event(f"{parent._meta.model_name}.created", new_id())
    apply(created)
    children = model._default_manager.count()
    with connection.constraint_checks_disabled():
        parent._default_manager.filter(pk=created["entity_id"])._raw_delete(using="default")
    assert model._default_manager.count() == children
    assert apply(created) == 1
    assert model._default_manager.count() == children
