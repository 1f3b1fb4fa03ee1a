"""`lf serve`: whom it lets in, and how its keys are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from llamafarm.access.settings import ServerSettings
from llamafarm.cli.commands.serve import _keys
from llamafarm.core.errors import RequestError
from llamafarm.server import serve
from tests.cli.helpers import lf


def test_other_machines_are_not_let_in_unasked(tmp_path: Path) -> None:
    done = lf("serve", "--host", "0.0.0.0", "--port", "0", folder=tmp_path)  # noqa: S104 - it is refused
    assert done.returncode == 2
    assert "LF_API_KEYS" in done.stderr
    assert "--host 127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


def test_half_a_login_is_wrong_usage(tmp_path: Path) -> None:
    done = lf("serve", "--port", "0", folder=tmp_path, LF_LOGIN="ann")
    assert done.returncode == 2
    assert "user:password" in done.stderr


def test_nothing_is_opened_before_the_check() -> None:
    with pytest.raises(RequestError, match="other machines"):
        serve([Path("/nowhere")], ServerSettings(host="0.0.0.0", port=0))  # noqa: S104 - it is refused


@pytest.mark.parametrize(
    ("named", "environment", "expected"),
    [
        ([], "", []),
        (["a"], "", ["a"]),
        ([], "a,b", ["a", "b"]),
        (["a"], " b , a ,, c ", ["a", "b", "c"]),
        ([" ", ""], ",", []),
    ],
)
def test_keys_come_from_options_and_the_environment(
    monkeypatch: pytest.MonkeyPatch, named: list[str], environment: str, expected: list[str]
) -> None:
    monkeypatch.setenv("LF_API_KEYS", environment)
    assert [key.get_secret_value() for key in _keys(named)] == expected


def test_help_does_not_show_the_keys_of_the_environment(tmp_path: Path) -> None:
    done = lf("serve", "--help", folder=tmp_path, LF_API_KEYS="secret-key", LF_LOGIN="ann:secret-password")
    assert done.returncode == 0
    assert "LF_API_KEYS" in done.stdout
    assert "secret" not in done.stdout
