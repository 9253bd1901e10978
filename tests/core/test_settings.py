"""Settings: a typo is an error that names the key; the file documents every key."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from pydantic import BaseModel, SecretStr

from core.errors import SettingsError
from core.settings import Settings, load_settings

ROOT = Path(__file__).parents[2]


def _file(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "settings.toml"
    path.write_text(body, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("[api]\nprot = 1\n", r"unknown key 'api.prot'; did you mean 'api.port'\?"),
        ("[apl]\nport = 1\n", r"unknown key 'apl'; did you mean 'api'\?"),
        ('[api]\nport = "x"\n', r"api.port: .*integer"),
        ("[api]\nport = 70000\n", r"api.port: .*65535"),
        ('[[brands]]\nslug = "a"\nname = "A"\nalias = []\n', r"did you mean 'brands.0.aliases'\?"),
        ('[[rules]]\nslug = "a"\nat_once = "hugh"\n', r"unknown severity 'hugh'; known: none"),
        ('[[receivers]]\nslug = "a"\nkind = "webhook"\n', r"a webhook receiver needs an address"),
        ("[api\n", r"settings.toml: "),
    ],
)
def test_a_mistake_is_an_error_that_names_it(tmp_path: Path, body: str, complaint: str) -> None:
    with pytest.raises(SettingsError, match=complaint):
        load_settings(_file(tmp_path, body), env={})


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere.toml: no such settings file"):
        load_settings(tmp_path / "nowhere.toml", env={})


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOODNAME_API__PORT", "9001")
    loaded = load_settings(_file(tmp_path, "[api]\nport = 9000\nhost = '::1'\n"))
    assert (loaded.api.port, loaded.api.host) == (9001, "::1")


def test_an_unknown_variable_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(SettingsError, match=r"did you mean GOODNAME_API__PORT\?"):
        load_settings(None, env={"GOODNAME_API__PROT": "1"})


def test_database_url_is_understood_but_the_file_wins(tmp_path: Path) -> None:
    env = {"DATABASE_URL": "postgresql://a/b"}
    bare = load_settings(_file(tmp_path, ""), env=env)
    named = load_settings(_file(tmp_path, '[database]\nurl = "postgresql://c/d"\n'), env=env)
    assert bare.database.url.get_secret_value() == "postgresql://a/b"
    assert named.database.url.get_secret_value() == "postgresql://c/d"


def test_a_wrong_secret_is_not_repeated_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load_settings(_file(tmp_path, "[smtp]\npassword = ['hunter2']\n"), env={})
    assert "smtp.password" in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_the_file_documents_every_key_with_its_default() -> None:
    documented = _uncommented((ROOT / "settings.toml").read_text(encoding="utf-8"))
    for section, field in Settings.model_fields.items():
        model = field.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            assert documented[section] == _defaults(model()), section
        else:
            assert documented[section], f"[[{section}]] has no example"


def test_the_examples_in_the_file_are_valid(tmp_path: Path) -> None:
    source = (ROOT / "settings.toml").read_text(encoding="utf-8")
    body = "\n".join(_uncommented_lines(source))
    assert load_settings(_file(tmp_path, body), env={}).brands[0].slug == "acme"


def _uncommented_lines(source: str) -> list[str]:
    """The file as it reads when every commented key and table is switched on."""
    return [
        re.sub(r"^# ", "", line)
        for line in source.splitlines()
        if not line.startswith("#") or re.match(r"# (\[\[\w+\]\]|\w+ = )", line)
    ]


def _uncommented(source: str) -> dict[str, object]:
    return tomllib.loads("\n".join(_uncommented_lines(source)))


def _defaults(model: BaseModel) -> dict[str, object]:
    values = {name: getattr(model, name) for name in type(model).model_fields}
    return {
        name: value.get_secret_value() if isinstance(value, SecretStr) else value
        for name, value in values.items()
    }
