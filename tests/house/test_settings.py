"""What the environment may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.settings import DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN, Environment, Settings, SettingsError

TWILIO = {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "secret"}


def test_nothing_said_is_production_on_an_embedded_database() -> None:
    settings = Settings.from_env({"FRONTDESK_DATA": "/srv/frontdesk"})
    assert settings.env is Environment.PRODUCTION
    assert settings.database_url == "sqlite:////srv/frontdesk/frontdesk.db"
    assert settings.public_url == "http://127.0.0.1:8080"
    assert settings.twilio_auth_token is None


def test_demo_and_test_have_twilio_credentials_of_their_own() -> None:
    for env in ("demo", "test"):
        settings = Settings.from_env({"FRONTDESK_ENV": env})
        assert (settings.twilio_account_sid, settings.twilio_auth_token) == (DEMO_ACCOUNT_SID, DEMO_AUTH_TOKEN)
        settings.need_twilio()


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ({"FRONTDESK_CLOCK": "/srv/clock"}, "FRONTDESK_CLOCK"),
        ({"FRONTDESK_BOOTSTRAP_TOKEN": "t"}, "FRONTDESK_BOOTSTRAP_TOKEN"),
        ({"TWILIO_ACCOUNT_SID": DEMO_ACCOUNT_SID, "TWILIO_AUTH_TOKEN": DEMO_AUTH_TOKEN}, "TWILIO_AUTH_TOKEN"),
    ],
)
def test_production_refuses_what_tests_need(said: dict[str, str], word: str) -> None:
    with pytest.raises(SettingsError, match=word):
        Settings.from_env(TWILIO | said)
    Settings.from_env(TWILIO | said | {"FRONTDESK_ENV": "test"})


def test_production_without_twilio_cannot_take_texts() -> None:
    with pytest.raises(SettingsError, match="TWILIO_ACCOUNT_SID"):
        Settings.from_env({}).need_twilio()
    Settings.from_env(TWILIO).need_twilio()


def test_a_value_can_stand_in_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    secret.write_text("from-a-file\n", encoding="utf-8")
    assert Settings.from_env({"TWILIO_AUTH_TOKEN_FILE": str(secret)}).twilio_auth_token == "from-a-file"
    with pytest.raises(SettingsError, match="both set"):
        Settings.from_env({"TWILIO_AUTH_TOKEN_FILE": str(secret), "TWILIO_AUTH_TOKEN": "x"})
    with pytest.raises(SettingsError, match="cannot be read"):
        Settings.from_env({"TWILIO_AUTH_TOKEN_FILE": str(tmp_path / "missing")})


@pytest.mark.parametrize(
    "said",
    [
        {"FRONTDESK_ENV": "prod"},
        {"FRONTDESK_PORT": "eighty"},
        {"FRONTDESK_PORT": "70000"},
        {"FRONTDESK_PUBLIC_URL": "texts.example.org"},
        {"FRONTDESK_DATABASE_URL": "mysql://127.0.0.1/frontdesk"},
    ],
)
def test_a_value_that_means_nothing_is_refused_in_one_sentence(said: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(said)
    assert next(iter(said)) in str(refused.value)
    assert "\n" not in str(refused.value)


def test_any_postgresql_address_is_reached_with_our_driver() -> None:
    for address in ("postgres://h/d", "postgresql://h/d", "postgresql+psycopg://h/d"):
        assert Settings.from_env({"FRONTDESK_DATABASE_URL": address}).database_url == "postgresql+psycopg://h/d"


def test_another_process_understands_what_it_is_told(tmp_path: Path) -> None:
    url = tmp_path / "url"
    url.write_text("https://texts.example.org/", encoding="utf-8")
    settings = Settings.from_env({"FRONTDESK_ENV": "test", "FRONTDESK_PORT": "9000", "FRONTDESK_PUBLIC_URL_FILE": str(url)})
    told = {"FRONTDESK_PUBLIC_URL_FILE": str(url)} | settings.to_env()
    assert Settings.from_env(told) == settings
