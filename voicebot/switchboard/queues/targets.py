"""Names that people give: of queues, agents, conferences, extensions. What is not there is refused."""

from __future__ import annotations

from voicebot.call.handover import HANDOVER_CONTEXT
from voicebot.config import AgentConfig, Config
from voicebot.errors import Problem, UserError


def agent_of(config: Config, agent: str) -> AgentConfig:
    """Return an agent's settings. Raises UserError for a name that is none's."""
    if agent not in config.agents:
        known = ", ".join(config.agents) or "none"
        raise UserError(f"there is no agent `{agent}`", f"there are {known}")
    return config.agents[agent]


def channel_to(config: Config, to: str) -> str:
    """Return the channel to ring for `agent:NAME` or an extension. Raises UserError.

    `/n`: Asterisk shall not try to take the dialplan's channel out of the way. It tries at every frame,
    and in one of 15 moves between bridges whoever was rung heard nothing from then on.
    """
    kind, _, name = to.partition(":")
    if kind == "agent":
        return agent_of(config, name).channel
    if ":" in to:
        raise UserError(f"{to} cannot be rung", "write agent:NAME or an extension; queues only blind")
    return f"Local/{to}@{HANDOVER_CONTEXT}/n"


def check_target(config: Config, to: str) -> None:
    """Raise UserError unless a caller can be given to `to`."""
    kind, _, name = to.partition(":")
    if kind == "queue" and name not in config.queues:
        raise UserError(f"there is no queue `{name}`", f"there are {', '.join(config.queues)}")
    if kind == "conference" and name not in config.conferences:
        there = ", ".join(config.conferences) or "none"
        raise UserError(f"there is no conference `{name}`", f"there are {there}")
    if kind == "agent":
        agent_of(config, name)
    elif kind not in ("queue", "conference") and (
        ":" in to or not to or not all(c.isalnum() or c in "_+*#-" for c in to)
    ):
        raise UserError(f"{to} is no target", "write queue:NAME, agent:NAME, conference:NAME or an extension")


def check_names(config: Config) -> None:
    """Raise UserError for names in queues and agents that are not there: of queues, and of trunks."""
    problems = []
    for name, agent in config.agents.items():
        for queue in agent.queues:
            if queue not in config.queues:
                there = ", ".join(config.queues) or "none"
                problems.append(
                    Problem(f"agents.{name}.queues: there is no [queues.{queue}]", f"there are {there}")
                )
    for name, settings in config.queues.items():
        trunk = settings.call_back_trunk
        if trunk and trunk not in config.trunks:
            there = ", ".join(config.trunks) or "none"
            what = f"queues.{name}.call_back_trunk: there is no [trunks.{trunk}]"
            problems.append(Problem(what, f"there are {there}"))
        if settings.call_back and not trunk:
            what = f"queues.{name}.call_back: there is no way out to call back by"
            problems.append(Problem(what, "name a trunk in call_back_trunk"))
    if problems:
        raise UserError(problems)
