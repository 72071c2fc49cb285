"""The doctor on MongoDB's indexes: those that are declared, held against those that are there."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from pymongo.errors import OperationFailure

from marketplace import indexes, mongo
from marketplace.doctor.registry import Finding, Visit, check, fault, ok, skipped, warning

# What makes two indexes of the same keys different ones.
OPTIONS: Final = ("unique", "sparse", "expireAfterSeconds", "partialFilterExpression", "collation")
_CREATE: Final = "manage.py create_indexes"
_NO_COLLECTION: Final = 26
Index = Mapping[str, Any]


@check("mongodb", "indexes", needs=["mongodb"])
def all_indexes(visit: Visit) -> Iterator[Finding]:  # noqa: ARG001  # every check's signature
    """Look for indexes that are missing, other than declared, not finished, or not declared."""
    if not mongo.database().list_collection_names():
        yield skipped("the database is empty")
        return
    declared = indexes.declared()
    findings = [
        finding
        for collection, models in sorted(declared.items())
        for finding in _compare(collection, [model.document for model in models], _existing(collection))
    ]
    yield from findings
    if not findings:
        yield ok(f"all {sum(map(len, declared.values()))} of {len(declared)} collections are there, and no others")


def _existing(collection: str) -> list[Index]:
    """Return the indexes of a collection, those that are being built with the key `buildUUID`."""
    command = {"listIndexes": collection, "includeBuildUUIDs": True, "cursor": {"batchSize": 1000}}
    try:
        answer = mongo.database().command(command)
    except OperationFailure as error:
        if error.code != _NO_COLLECTION:
            raise
        return []
    # What is being built stands there beside its specification.
    return [{**one.get("spec", one), **one} for one in answer["cursor"]["firstBatch"]]


def _compare(collection: str, declared: list[Index], existing: list[Index]) -> Iterator[Finding]:
    others = {_keys(index): index for index in existing if index["name"] != "_id_"}
    for index in declared:
        found = others.pop(_keys(index), None)
        if found is None:
            yield fault(f"{collection}: {index['name']} is missing", _CREATE)
        elif "buildUUID" in found:
            yield warning(f"{collection}: {index['name']} is being built", "Wait; db.currentOp() shows how far it is.")
        elif difference := _difference(index, found):
            drop = f'db.{collection}.dropIndex("{found["name"]}")'
            yield fault(f"{collection}: {found['name']} {difference}", f"{drop}, then {_CREATE}")
    for index in others.values():
        remedy = f'If nobody needs it: db.{collection}.dropIndex("{index["name"]}")'
        yield warning(f"{collection}: {index['name']} is not declared, and costs each write", remedy)


def _keys(index: Index) -> tuple[tuple[str, Any], ...]:
    return tuple(index["key"].items())


def _difference(declared: Index, found: Index) -> str:
    """Return in words which options are not as declared."""
    differing = [name for name in OPTIONS if declared.get(name) != found.get(name)]
    return ", ".join(f"has {name} {found.get(name)}, declared is {declared.get(name)}" for name in differing)
