"""Pulse, working time and answers, by a clock that only the test moves."""

import math

from marketplace.observability.answers import LATELY_SECONDS, Answers
from marketplace.observability.pulse import Pulse, WorkingTime


class Clock:
    """Stands still unless it is told to go on."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_a_part_that_is_not_seen_in_time_is_named_until_it_is_seen_again() -> None:
    clock = Clock()
    pulse = Pulse(clock)
    pulse.beat("the loop", 5)
    pulse.beat("another part", 60)
    clock.now += 5
    assert pulse.problems() == []
    clock.now += 2
    assert pulse.problems() == ["the loop has stood still for 2 s longer than it may"]
    pulse.beat("the loop", 5)
    assert pulse.problems() == []
    clock.now += 100
    pulse.forget("another part")
    pulse.forget("never seen")
    assert pulse.problems() == ["the loop has stood still for 95 s longer than it may"]


def test_working_time_leaves_out_what_it_is_told_and_never_jumps_ahead() -> None:
    clock = Clock()
    working = WorkingTime(clock)
    begun = working()
    clock.now += 10
    working.turn_back(begun)
    assert working() == begun
    clock.now += 1
    working.turn_back(begun + 100)
    assert working() == begun + 1


def test_answers_count_for_a_while_and_failures_until_the_next_answer() -> None:
    clock = Clock()
    answers = Answers("Kafka", "SQL", clock=clock)
    assert [problem.partition(":")[0] for problem in answers.problems()] == ["Kafka is away", "SQL is away"]
    answers.heard("SQL")
    answers.failed("Kafka", "timed out")
    clock.now += LATELY_SECONDS
    assert answers.problems() == ["Kafka is away: timed out"]
    answers.heard("Kafka")
    clock.now += 1
    assert answers.problems() == [f"SQL is away: no answer for {math.floor(LATELY_SECONDS) + 1} s"]
