// A live call as the browser knows it: what the snapshot said, and all news since, applied.

export const STATES = {
  talking: ["with the bot", "plain"],
  waiting: ["waiting", "warn"],
  with_person: ["with a person", "person"],
  conference: ["conference", "person"],
  taken_over: ["taken over", "person"],
};

/** Make a call ready for news. `late` is how far this computer's clock is behind the gateway's, in seconds. */
export function newCall(call) {
  const made = { turns: [], slots: {}, supervisors: [], faults: [], lines: [], partial: "", saying: "", path: [], ...call };
  made.turns = [...(made.turns ?? [])];
  made.path = pathOf(made);
  return made;
}

function pathOf(call) {
  const path = [];
  for (const turn of call.turns) if (turn.step && path.at(-1) !== turn.step) path.push(turn.step);
  if (call.step && path.at(-1) !== call.step) path.push(call.step);
  return path;
}

/** Apply one piece of news of topic `call` to the call. */
export function apply(call, kind, data) {
  switch (kind) {
    case "step":
      call.step = data.step;
      if (call.path.at(-1) !== data.step) call.path.push(data.step);
      break;
    case "floor":
      call.floor = data.floor;
      break;
    case "words":
      call.partial = data.text ?? "";
      if (call.partial) call.saying = "";
      break;
    case "saying":
      call.saying = [call.saying, data.text].filter(Boolean).join(" "); // a turn may have several prompts
      break;
    case "turn": {
      const at = data.index ?? call.turns.length;
      call.turns[at] = data.turn;
      if (data.turn.who === "caller") call.partial = "";
      call.saying = "";
      if (data.turn.latency_ms != null) call.latency_ms = data.turn.latency_ms;
      break;
    }
    case "slots":
      call.slots = data.slots ?? {};
      break;
    case "state":
      Object.assign(call, data);
      break;
    case "recording":
      call.recording = data.recording;
      break;
    case "language":
      call.language = data.language;
      break;
    case "held":
      call.held = data.held;
      break;
    case "supervisors":
      call.supervisors = data.supervisors ?? [];
      break;
    case "fault":
      call.faults.push(data.text);
      break;
    case "ended":
      Object.assign(call, data, { ended: true, floor: "nobody", partial: "", saying: "" });
      break;
    default:
  }
}

/**
 * The name that a call's dialog has in addresses, of those in service ({name, file}). A call tells the file as its
 * route does: whole, or from the folder of voicebot.toml; the others are whole. Two folders may have files of one name.
 */
export function nameOf(call, dialogs) {
  const path = [];
  for (const part of (call.dialog_file ?? "").split("/")) {
    if (part === "..") path.pop();
    else if (part !== ".") path.push(part);
  }
  const ending = (end) => dialogs.filter((one) => one.file === end || one.file.endsWith(`/${end}`))
    .sort((one, other) => one.file.length - other.file.length)[0];
  return (ending(path.join("/")) ?? ending(path.at(-1)))?.name ?? ""; // of a link the file's name has to do
}

export function who(call) {
  return call.caller_name || call.caller || (call.direction === "browser" ? "Browser" : "withheld");
}

export function lastSaid(call, side) {
  for (let at = call.turns.length - 1; at >= 0; at -= 1) {
    const turn = call.turns[at];
    if (turn?.who === side) return turn.text || (side === "caller" ? `(${turn.kind ?? "silence"})` : "");
  }
  return (side === "caller" ? call.last_heard : call.last_said) ?? "";
}

/** How a call stands, in a word, and its tone. */
export function stateOf(call) {
  if (call.ended) return ["ended", "plain"];
  if (call.held && call.state === "talking") return ["bot holds", "warn"];
  return STATES[call.state] ?? [call.state ?? "", ""];
}

/** Which of the list's filters a call belongs to. */
export function sort(call) {
  if (call.faults?.length) return "trouble";
  if (call.state === "waiting") return "waiting";
  return call.state === "talking" || !call.state ? "bot" : "people";
}

export function trouble(call) {
  return call.faults?.length > 0 || call.latency_ms >= 3000;
}
