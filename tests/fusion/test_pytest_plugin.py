"""The plugin for the tests of users, in a project of theirs."""

from __future__ import annotations

import pytest

pytest_plugins = ["pytester"]

CONFTEST = 'pytest_plugins = ["fusion_client.testing"]'
AGENT = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nfilterwarnings = error\n")
    return pytester


def passed(project: pytest.Pytester, tests: str, *options: str) -> int:
    """How many tests of `tests` passed; none may fail."""
    project.makepyfile(tests)
    outcomes = project.runpytest_inprocess("-p", "no:cacheprovider", *options).parseoutcomes()
    assert outcomes.keys() == {"passed"}, outcomes
    return outcomes["passed"]


def test_a_test_scripts_the_emulator_and_sees_what_was_asked(project: pytest.Pytester) -> None:
    tests = f"""
        from fusion_client.testing import Reply

        def test_the_greeting(fusion_emulator, fusion_sync_client):
            fusion_emulator.script(Reply("Good morning."))
            assert fusion_sync_client.send_message("{AGENT}", "Greet me.").text == "Good morning."
            assert fusion_emulator.chats[0].json["message"] == "Greet me."

        def test_another_test_has_another_emulator(fusion_emulator):
            assert fusion_emulator.chats == []
    """
    assert passed(project, tests) == 2


RUNNERS = {
    "anyio": ("-p", "anyio.pytest_plugin", "-o", "anyio_mode=auto"),
    "pytest-asyncio": (
        "-p",
        "pytest_asyncio.plugin",
        "-o",
        "asyncio_mode=auto",
        "-o",
        "asyncio_default_fixture_loop_scope=function",
    ),
}


@pytest.mark.parametrize("runner", RUNNERS)
def test_the_async_client_works_in_whatever_loop_a_test_has(project: pytest.Pytester, runner: str) -> None:
    tests = f"""
        import asyncio
        import gc
        import pytest

        @pytest.fixture
        def anyio_backend():
            return "asyncio"

        async def answer(client):
            async with await client.send_message("{AGENT}", "Count from 1 to 5.", stream=True) as stream:
                return "".join([token async for token in stream])

        async def test_in_the_loop_of_the_runner(fusion_client):
            assert await answer(fusion_client) == "1, 2, 3, 4, 5"

        def test_in_loops_of_its_own(fusion_client):
            assert asyncio.run(answer(fusion_client)) == asyncio.run(answer(fusion_client)) == "1, 2, 3, 4, 5"
            gc.collect()  # a connection that was left open would warn now
    """
    assert passed(project, tests, *RUNNERS[runner]) == 2


def test_a_client_of_the_program_itself_reaches_the_emulator(project: pytest.Pytester) -> None:
    tests = f"""
        import pytest
        from fusion_client import SyncFusionClient

        @pytest.mark.usefixtures("fusion_environment")
        def test_the_program(fusion_emulator):
            with SyncFusionClient.from_settings() as client:
                client.send_message("{AGENT}", "Hello")
            assert len(fusion_emulator.chats) == 1
    """
    assert passed(project, tests) == 1


def test_faults_are_tried_again_without_a_pause(project: pytest.Pytester) -> None:
    tests = f"""
        import pytest
        from fusion_client import RateLimitError
        from fusion_client.testing import Reply

        def test_faults(fusion_emulator, fusion_sync_client):
            fusion_emulator.script(*[Reply(fault="rate_limited")] * 4)
            with pytest.raises(RateLimitError):
                fusion_sync_client.send_message("{AGENT}", "Hello")
            assert len(fusion_emulator.chats) == 4
    """
    assert passed(project, tests) == 1


def test_the_options_of_the_emulator_can_be_set(project: pytest.Pytester) -> None:
    tests = """
        import pytest
        from fusion_client import AuthenticationError
        from fusion_client.testing import API_KEY, Options

        @pytest.fixture(params=[API_KEY, "another"])
        def fusion_emulator_options(request):
            return Options(fusion_keys=[request.param])

        def test_keys(fusion_emulator_options, fusion_sync_client):
            if API_KEY in fusion_emulator_options.fusion_keys:
                fusion_sync_client.list_agents()
            else:
                with pytest.raises(AuthenticationError):
                    fusion_sync_client.list_agents()
    """
    assert passed(project, tests) == 2
