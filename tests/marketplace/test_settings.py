"""Settings and the environment: `.env.example` is complete, and without DEBUG nothing starts without a key."""

import ast
import os
import re
import shutil
import subprocess
import sys

import pytest
from django.conf import settings


def names_read_by_settings() -> set[str]:
    source = (settings.BASE_DIR / "marketplace" / "settings.py").read_text()
    return {
        node.args[0].value
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).startswith("env.")
        and isinstance(node.args[0], ast.Constant)
    }


def explained_names() -> list[str]:
    """Return the names in `.env.example`. Each must directly follow a comment that explains it."""
    text = (settings.BASE_DIR / ".env.example").read_text()
    return re.findall(r"^# .+\n(?:# )?([A-Z_]+)=", text, re.MULTILINE)


def test_example_explains_exactly_the_variables_that_are_read():
    compose = (settings.BASE_DIR / "docker-compose.yml").read_text()
    only_compose = set(re.findall(r"\$\{([A-Z_]+)", compose)) - names_read_by_settings()

    assert sorted(explained_names()) == sorted(names_read_by_settings() | only_compose)


def test_no_variable_of_the_example_lacks_an_explanation():
    text = (settings.BASE_DIR / ".env.example").read_text()

    assert re.findall(r"^(?:# )?([A-Z_]+)=", text, re.MULTILINE) == explained_names()


def import_settings(tmp_path, then="", **environment: str) -> subprocess.CompletedProcess[str]:
    """Import a copy of the settings in a new process: no `.env` beside it, nothing of ours in its environment."""
    (tmp_path / "marketplace").mkdir(exist_ok=True)
    for name in ("settings.py", "environment.py"):
        shutil.copy(settings.BASE_DIR / "marketplace" / name, tmp_path / "marketplace")
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-c", f"from marketplace import settings; {then}"],
        env={**inherited, **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("environment", [{}, {"SECRET_KEY": ""}, {"DEBUG": "false"}])
def test_missing_secret_key_stops_the_process(tmp_path, environment):
    done = import_settings(tmp_path, **environment)

    assert done.returncode != 0
    assert "SECRET_KEY is not set" in done.stderr


def test_development_gets_a_key_that_survives_a_restart(tmp_path):
    import_settings(tmp_path, DEBUG="true")
    key = (tmp_path / ".marketplace" / "secret_key").read_text()
    done = import_settings(tmp_path, DEBUG="true")

    assert done.returncode == 0, done.stderr
    assert len(key) >= 50
    assert (tmp_path / ".marketplace" / "secret_key").read_text() == key


@pytest.mark.parametrize("key", ["k" * 50, "$" + "k" * 49])
def test_secret_key_from_the_environment_is_enough(tmp_path, key):
    done = import_settings(tmp_path, "print(settings.SECRET_KEY)", SECRET_KEY=key)

    assert done.stdout.strip() == key, done.stderr


def test_options_of_the_database_url_are_kept(tmp_path):
    show = "print(settings.DATABASES['default']['OPTIONS'])"
    url = "mysql://a:b@db/c?ssl_mode=REQUIRED"
    done = import_settings(tmp_path, show, SECRET_KEY="k" * 50, DATABASE_URL=url)

    assert "'ssl_mode': 'REQUIRED'" in done.stdout
    assert "'charset': 'utf8mb4'" in done.stdout


def test_the_image_gets_every_app():
    allowed = (settings.BASE_DIR / ".dockerignore").read_text().splitlines()
    ours = {name.partition(".")[0] for name in settings.INSTALLED_APPS if (settings.BASE_DIR / name).is_dir()}

    assert {f"!{name}" for name in ours} <= set(allowed)
