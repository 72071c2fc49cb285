"""Column types that Django lacks: text that compares exactly on every database, and a foreign key that the database
itself cascades.

On MySQL and MariaDB every text column names its collation, so the tables are utf8mb4 whatever the server's default is.
"""

from typing import Any

from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations import CreateModel
from django.db.migrations.state import ProjectState

ID_LENGTH = 24  # of an ObjectId in hexadecimal digits


class _CollatedField(models.Field):  # type: ignore[type-arg]  # not subscriptable at run time
    """A text column that names its collation on MySQL and MariaDB, and nothing on SQLite."""

    def db_parameters(self, connection: BaseDatabaseWrapper) -> Any:
        parameters: dict[str, Any] = dict(super().db_parameters(connection))
        if connection.vendor == "mysql":
            parameters["collation"] = self.collation(connection)
        return parameters

    def collation(self, connection: Any) -> str:  # noqa: ARG002  # depends on the server for keys only
        return "utf8mb4_unicode_520_ci"


class LineField(_CollatedField, models.CharField):  # type: ignore[type-arg]
    """Text of limited length, for people: compares without regard to case and accents."""


class ProseField(_CollatedField, models.TextField):  # type: ignore[type-arg]
    """Text without a limit of its own, compared like a LineField."""


class KeyField(LineField):
    """An id or key: two values are equal only when every byte is (`Red`, `red`, `Réd` and `red ` are four).

    SQLite compares so anyway. utf8mb4_bin would not do: it ignores trailing spaces.
    """

    def collation(self, connection: Any) -> str:
        return "utf8mb4_nopad_bin" if connection.mysql_is_mariadb else "utf8mb4_0900_bin"


class CreateCascadingModel(CreateModel):
    """CreateModel whose foreign keys say ON DELETE CASCADE in the database, where Django 5.2 cascades in Python only.

    So a row that anybody deletes by SQL takes its children along.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        editor: Any = schema_editor
        name = "sql_create_inline_fk" if editor.sql_create_inline_fk else "sql_create_fk"
        template = getattr(editor, name)
        setattr(editor, name, template.replace("(%(to_column)s)", "(%(to_column)s) ON DELETE CASCADE"))
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        setattr(editor, name, template)
