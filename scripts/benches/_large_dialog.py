"""A dialog of hundreds of steps, as an author would write them."""

from __future__ import annotations

HEADER = """\
dialog: large
about: A dialog of {steps} steps, as an author would write them.
outbound: true
needs: {{first_name: name, appointment: datetime}}
slots:
  sure: yes_no
  size: {{type: choice, choices: {{small: [small, the small one], large: {{hear: [large, big], key: 2}}}}}}
values:
  tries: {{type: number, start: 0}}
  status: text
always:
  agent: {{hear: [the manager], goto: person}}
steps:
  greet: {{say: "Hello {{first_name}}, this is the assistant of the clinic."}}
"""
BLOCK = """\
  question{n}:
    say: You have an appointment on {{appointment|date}} at {{appointment|time}}, in room {n}.
    ask: Will you be there, yes or no?
    fill: sure
    help: Say yes to keep it.
    nomatch: [Sorry, will you be there?, Please say yes or no.]
    failed: person
    goto: {{look{n}: sure, pick{n}: not sure}}
  pick{n}:
    ask: Which one would you like instead?
    fill: size
    choices:
      none{n}: {{hear: [none of them, neither], key: 3, goto: count{n}}}
      later{n}: {{hear: [some other time, another week], key: 4, goto: count{n}}}
    failed: person
    goto: {{look{n}: size == 'large' and tries < 3, count{n}: else}}
  look{n}:
    fetch:
      get: "{{env.BOOKING}}/rooms/{n}"
      query: {{name: "{{first_name}}"}}
      keep: {{status: room.status}}
    failed: count{n}
    goto: {{count{n}: status == 'free' and result == 200, after{n}: else}}
  count{n}:
    set: {{tries: tries + 1}}
    goto: {{person: tries > 40, after{n}: else}}
  after{n}:
    say: [All right., Very well.]
"""
FOOTER = """\
  bye: {say: Goodbye., end: done}
  person: {transfer: {queue: reception, with: [first_name]}}
"""
STEPS_A_BLOCK = 5


def large_dialog(steps: int) -> str:
    """Return the text of a dialog with about so many steps."""
    blocks = (BLOCK.format(n=n) for n in range(steps // STEPS_A_BLOCK))
    return HEADER.format(steps=steps) + "".join(blocks) + FOOTER
