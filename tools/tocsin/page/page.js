"use strict";
// Shows what the engine says of itself once a second, and one event in whole.
(() => {
  const { say, count, term, number, percent, time, span } = tocsinWords;
  const at = (id) => document.getElementById(id);
  const outcomes = ["accepted", "dead", "rejected", "expired", "cancelled", "muted", "failed"];
  const communesEvery = 5000;
  const communesShown = 200;

  let status = null;
  let heardAt = 0;
  /** The event that the address names, if it can be one. */
  const named = () => (/^#([A-Za-z0-9._:-]{1,128})$/.exec(location.hash.replaceAll("%3A", ":")) || ["", ""])[1];
  let chosen = named();
  let chosenByHand = chosen !== "";
  let detail = null;
  let askedFor = "";
  let plot = null;
  let source = null;
  let following = "";

  document.documentElement.lang = tocsinWords.language;
  for (const element of document.querySelectorAll("[data-word]")) element.textContent = say(element.dataset.word);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));

  const make = (name, attributes = {}, ...children) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key === "text") element.textContent = value;
      else if (key === "class") element.className = value;
      else element.setAttribute(key, value);
    }
    element.append(...children);
    return element;
  };

  /** Makes the children of `parent` those of `items`, reusing what is there: focus and scrolling stay. */
  const keep = (parent, items, key, create, update) => {
    const old = new Map([...parent.children].map((child) => [child.dataset.key, child]));
    items.forEach((item, i) => {
      const name = String(key(item));
      const child = old.get(name) || create(item);
      old.delete(name);
      child.dataset.key = name;
      update(child, item);
      if (parent.children[i] !== child) parent.insertBefore(child, parent.children[i] || null);
    });
    for (const child of old.values()) child.remove();
  };
  const write = (element, text) => {
    if (element.textContent !== text) element.textContent = text;
  };
  const figures = (list, entries) => keep(list, entries, ([word]) => word,
    ([word]) => make("div", {}, make("dt", { text: word }), make("dd")),
    (box, [, value]) => write(box.lastChild, value));

  /** A row of a table: the first cell names it, numbers are right-aligned and have their column's name for narrow windows. */
  const makeRow = (columns) => make("tr", {}, ...columns.map(([kind, word], i) => {
    const cell = make(i === 0 && kind === "name" ? "th" : "td", word ? { "data-name": say("named", say(word)) } : {});
    if (kind === "name") cell.scope = "row";
    else cell.className = kind;
    return cell;
  }));

  /** A selector in words where there are some: "Nord (59)". */
  const nameOf = (selector) => {
    const [kind, code] = selector.split(":");
    if (selector === "everyone") return say("everyone");
    return kind === "department" && tocsinMap.name(code) !== code ? `${tocsinMap.name(code)} (${code})` : selector;
  };
  const titleOf = (event) => event.title || event.event;
  const isOver = (event) => event.finished_at != null;

  // --- one event of the list

  const createCard = (event) => {
    const button = make("button", { class: "card", type: "button" },
      make("span", { class: "card-top" }, make("span", { class: "card-title" }), make("span", { class: "chip" })),
      make("progress", { max: "1" }), make("span", { class: "card-sums" }, make("span"), make("span"), make("span")));
    button.addEventListener("click", () => choose(event.event));
    return make("li", {}, button);
  };
  const updateCard = (item, event) => {
    const button = item.firstChild;
    const [top, bar, sums] = button.children;
    write(top.children[0], titleOf(event));
    const urgent = event.priority === "critical" || event.priority === "high";
    top.children[1].className = `chip ${urgent ? event.priority : event.state}`;
    write(top.children[1], urgent ? term("priority", event.priority) : term("states", event.state));
    bar.value = event.progress || 0;
    bar.setAttribute("aria-label", `${titleOf(event)}: ${percent(event.progress || 0)}`);
    write(sums.children[0], `${number(event.accepted || 0)} ${term("outcome", "accepted")}`);
    write(sums.children[1], event.rate ? say("rate", number(Math.round(event.rate)))
      : (event.deferred || []).length ? say("deferred", time(event.deferred[0].until)) : say("stands"));
    write(sums.children[2], event.eta_seconds == null ? "" : say("left", span(event.eta_seconds)));
    const mark = ["card", urgent ? event.priority : ""].filter(Boolean).join(" ");
    if (button.className !== mark) button.className = mark;
    button.setAttribute("aria-pressed", String(event.event === chosen));
  };

  const createRow = (event) => {
    const button = make("button", { type: "button" });
    button.addEventListener("click", () => choose(event.event));
    const row = makeRow([["plain"], ["plain"], ["number", "accepted"], ["number", "took"], ["number"]]);
    row.children[0].className = "";
    row.children[0].append(button);
    row.children[1].append(make("span", { class: "chip" }));
    return row;
  };
  const updateRow = (row, event) => {
    const isChosen = event.event === chosen;
    row.className = isChosen ? "chosen" : "";
    const button = row.children[0].firstChild;
    if (isChosen) button.setAttribute("aria-current", "true");
    else button.removeAttribute("aria-current");
    write(button, titleOf(event));
    row.children[1].firstChild.className = `chip ${event.state}`;
    write(row.children[1].firstChild, term("states", event.state));
    write(row.children[2], number(event.accepted || 0));
    write(row.children[3], event.finished_at && event.accepted_at ? span(Math.max(0, event.finished_at - event.accepted_at) / 1000) : "");
    write(row.children[4], event.finished_at ? time(event.finished_at) : "");
  };

  const choose = (id) => {
    chosen = id;
    chosenByHand = true;
    history.replaceState(null, "", `#${encodeURIComponent(id)}`);
    if (status !== null) showLists();
    listen();
    askForDetail();
  };

  // --- the state of everything

  const showLists = () => {
    const running = status.events.filter((event) => !isOver(event));
    const recent = status.events.filter(isOver);
    const known = status.events.some((event) => event.event === chosen);
    if (!chosenByHand || (!known && detail === null && chosen === "")) {
      const first = running[0] || recent[0];
      chosen = first ? first.event : "";
    }
    keep(at("running"), running, (event) => event.event, createCard, updateCard);
    keep(at("recent").tBodies[0], recent, (event) => event.event, createRow, updateRow);
    at("running-none").hidden = running.length !== 0;
    at("recent").hidden = recent.length === 0;
    at("recent-none").hidden = recent.length !== 0;
    write(at("running-note"), status.running_total > running.length
      ? say("shown", number(running.length), number(status.running_total)) : "");
    at("scheduled").hidden = !status.scheduled_total;
    write(at("scheduled"), status.scheduled_total ? count("scheduled", status.scheduled_total) : "");
  };

  const showState = (lost) => {
    const good = !lost && status !== null && status.ready && !status.redis_problem;
    at("state").className = `state ${status === null && !lost ? "" : good ? "good" : "bad"}`;
    write(at("state-text"), lost ? say("lost") : status === null ? say("connecting") : good ? say("ready") : say("notReady"));
    const problems = [];
    if (lost) problems.push(say("lostLong", span(heardAt ? (Date.now() - heardAt) / 1000 : 0)));
    if (!lost && status !== null) {
      for (const check of status.checks) if (!check.ok) problems.push(`${check.name}: ${check.problem}`);
      if (status.redis_problem) problems.push(status.redis_problem);
      if (status.paused.length) problems.push(say("held", status.paused.join(", ")));
    }
    keep(at("problems-list"), problems, (text) => text.replace(/\d+/g, "#"), () => make("li"), (item, text) => write(item, text));
    at("problems").hidden = problems.length === 0;
  };

  const showLanes = () => {
    const lanes = new Map();
    for (const lane of status.lanes) {
      const name = `${lane.app}/${lane.platform}`;
      const sum = lanes.get(name) || { name, waiting: 0, in_flight: 0, connections: 0, rate: 0, bound: [], paused: "" };
      sum.waiting += lane.waiting;
      sum.in_flight += lane.in_flight;
      sum.connections += lane.connections;
      sum.rate = lane.rate;
      if (!sum.bound.includes(lane.bound_by)) sum.bound.push(lane.bound_by);
      sum.paused = sum.paused || lane.paused;
      lanes.set(name, sum);
    }
    keep(at("lanes").tBodies[0], [...lanes.values()], (lane) => lane.name,
      () => makeRow([["name"], ["number", "waiting"], ["number", "inFlight"], ["number", "connections"], ["number", "quota"], ["plain", "limitedBy"]]),
      (row, lane) => {
        const busy = lane.bound.filter((one) => one !== "idle");
        const bound = (busy.length ? busy : lane.bound).map((one) => term("bound", one)).join(", ");
        [lane.name, number(lane.waiting), number(lane.in_flight), number(lane.connections), lane.rate ? say("aSecond", number(lane.rate)) : "–",
          lane.paused && !busy.includes("operator") ? `${bound} (${lane.paused})` : bound].forEach((text, i) => write(row.children[i], text));
      });
    at("lanes").hidden = lanes.size === 0;
    at("lanes-none").hidden = lanes.size !== 0;
  };

  const showStreams = () => {
    const told = (n) => n == null ? "?" : number(n);
    keep(at("streams").tBodies[0], Object.entries(status.streams), ([name]) => name,
      () => makeRow([["name"], ["number"], ["number"]]),
      (row, [name, one]) => {
        const called = ["events", "registrations", "receipts"].includes(name) ? say(name) : name;
        [called, told(one.lag), told(one.pending)].forEach((text, i) => write(row.children[i], text));
      });
    const letters = status.dead_letters.recent;
    keep(at("letters"), letters, (letter) => letter.id, () => make("li", {}, make("span"), make("br"), make("small")),
      (item, letter) => {
        write(item.children[0], letter.reason || "");
        write(item.children[2], [letter.at ? time(letter.at) : "", say("letterFrom", letter.entry || letter.id, letter.stream || "")].filter(Boolean).join(" · "));
      });
    write(at("letters-note"), letters.length ? count("lettersTotal", status.dead_letters.total) : say("noLetters"));
  };

  const showNow = () => {
    const running = status.events.filter((event) => !isOver(event));
    const rate = running.reduce((sum, event) => sum + (event.rate || 0), 0);
    const waiting = status.lanes.reduce((sum, lane) => sum + lane.waiting, 0);
    const unread = (status.streams.events || {}).lag;
    figures(at("now"), [[say("running"), number(status.running_total)], [say("perSecond"), number(Math.round(rate))],
      [say("inLine"), number(waiting)], [say("unread"), unread == null ? "?" : number(unread)],
      [say("letters"), number(status.dead_letters.total)]]);
  };

  const showStatus = () => {
    write(at("instance"), [status.instance, count("engines", status.engines)].filter(Boolean).join(" · "));
    showState(false);
    showNow();
    showLists();
    showGoing();
    showLanes();
    showStreams();
  };

  // --- one event in whole

  const showOutcomes = () => {
    const total = outcomes.reduce((sum, name) => sum + (detail[name] || 0), 0);
    at("outcomes").hidden = total === 0;
    const some = outcomes.filter((name) => detail[name]);
    keep(at("outcome-bar"), some, (name) => name, (name) => make("span", { class: `o-${name}` }),
      (part, name) => { part.style.width = `${100 * detail[name] / total}%`; });
    keep(at("outcome-legend"), some, (name) => name,
      (name) => make("li", {}, make("span", { class: `swatch o-${name}`, "aria-hidden": "true" }), make("span")),
      (item, name) => write(item.lastChild, `${number(detail[name])} ${term("outcome", name)}`));
    at("outcome-bar").setAttribute("aria-label", say("barSays", some.map((name) => `${number(detail[name])} ${term("outcome", name)}`).join(", ")));
  };

  /** How far the chosen event is, while it runs: out of the list, which is of this second. */
  const showGoing = () => {
    const event = detail !== null && status !== null && status.events.find((one) => one.event === detail.event && !isOver(one));
    at("going").hidden = !event || isOver(detail);
    if (at("going").hidden) return;
    at("going-bar").value = event.progress || 0;
    at("going-bar").setAttribute("aria-label", `${titleOf(event)}: ${percent(event.progress || 0)}`);
    write(at("going-share"), percent(event.progress || 0));
    write(at("going-rate"), event.rate ? say("rate", number(Math.round(event.rate))) : say("stands"));
    write(at("going-left"), event.eta_seconds == null ? "" : say("left", span(event.eta_seconds)));
  };

  const causesShown = 3;
  const showHeld = () => {
    const held = [];
    for (const [app, platforms] of Object.entries(detail.limits || {})) {
      for (const [platform, shares] of Object.entries(platforms)) {
        const causes = Object.entries(shares).filter(([cause, share]) => cause !== "idle" && share >= 0.01)
          .sort((a, b) => b[1] - a[1]).slice(0, causesShown).map(([cause, share]) => `${term("bound", cause)} ${percent(Math.round(share * 100) / 100)}`);
        if (causes.length) held.push([`${app}/${platform}`, causes.join(", ")]);
      }
    }
    at("held").hidden = held.length === 0;
    keep(at("held-list"), held, ([name]) => name, () => make("li", {}, make("strong"), document.createTextNode(" "), make("span")),
      (item, [name, causes]) => { write(item.firstChild, name); write(item.lastChild, causes); });
  };

  const showReasons = () => {
    const reasons = Object.entries(detail.reasons || {}).sort((a, b) => b[1] - a[1]);
    at("wrong").hidden = reasons.length === 0;
    keep(at("reasons"), reasons, ([name]) => name, () => make("li", {}, make("span"), document.createTextNode(" "), make("code")),
      (item, [name, times]) => {
        const words = tocsinWords.reason(name);
        const explained = words !== name ? words : (detail.reasons_explained || {})[name] || "";
        write(item.children[0], `${number(times)} × ${explained || name}`);
        write(item.children[1], explained ? name : "");
      });
  };

  // Not the engine's own shares, which are cut to four decimals.
  const confirmedWords = (one) => one.population && one.displayed != null
    ? percent(Math.max(one.received, one.displayed, one.opened) / one.population) : "";
  const reachWords = (one) => one.population ? percent(one.accepted / one.population) : "";
  const showWhere = () => {
    const departments = detail.departments || {};
    const codes = Object.keys(departments).sort();
    at("where").hidden = codes.length === 0;
    if (codes.length === 0) return;
    if (tocsinMap.ready()) {
      const words = tocsinMap.show(departments, isOver(detail) ? 1 : detail.progress || 0);
      keep(at("scale"), words.map((word, i) => [word, i]), ([, i]) => i,
        ([, i]) => make("li", {}, make("span", { class: `swatch r${i}`, "aria-hidden": "true" }), make("span")),
        (item, [word]) => write(item.lastChild, word));
    }
    const accepted = codes.reduce((sum, code) => sum + departments[code].accepted, 0);
    at("map").setAttribute("aria-label", say("mapSays", number(codes.length), number(accepted)));
    keep(at("departments").tBodies[0], codes, (code) => code,
      () => makeRow([["name"], ["number"], ["number"], ["number"]]),
      (row, code) => {
        const one = departments[code];
        [`${tocsinMap.name(code)} (${code})`, number(one.accepted), number(one.population), reachWords(one)]
          .forEach((text, i) => write(row.children[i], text));
      });
  };

  const showCommunes = () => {
    const all = Object.entries(detail.communes || {}).sort((a, b) => b[1].accepted - a[1].accepted);
    at("communes-box").hidden = Object.keys(detail.departments || {}).length === 0;
    const confirmed = all.some(([, one]) => confirmedWords(one) !== "");
    keep(at("communes").tBodies[0], all.slice(0, communesShown), ([code]) => code,
      () => makeRow([["name"], ["number"], ["number"], ["number"], ["number"]]),
      (row, [code, one]) => {
        [`${one.name || ""} (${code})`, number(one.accepted), one.population == null ? "" : number(one.population),
          reachWords(one), confirmedWords(one)]
          .forEach((text, i) => write(row.children[i], text));
      });
    for (const row of at("communes").rows) row.cells[4].hidden = !confirmed;
    write(at("communes-note"), all.length > communesShown
      ? say("firstCommunes", number(communesShown), number(all.length), detail.event) : "");
  };

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const chartFont = "12px system-ui, sans-serif";
  /** Where 50, 90 and 99 % had accepted. */
  const drawShares = (chart) => {
    if (detail === null || !isOver(detail)) return;
    const { ctx, bbox } = chart;
    const scale = devicePixelRatio;
    ctx.save();
    ctx.strokeStyle = ctx.fillStyle = colour("--soft");
    ctx.font = `${12 * scale}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.lineWidth = scale;
    ctx.setLineDash([4 * scale, 4 * scale]);
    let free = -Infinity;
    for (const share of [50, 90, 99]) {
      if (detail[`p${share}_ms`] == null) continue;
      const x = Math.round(chart.valToPos(detail[`p${share}_ms`] / 1000, "x", true));
      if (x > bbox.left + bbox.width) continue;
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
      const words = percent(share / 100);
      if (x > free && x + 6 * scale + ctx.measureText(words).width < bbox.left + bbox.width + 30 * scale) {
        ctx.fillText(words, x + 4 * scale, bbox.top + bbox.height - 8 * scale);
        free = x + 8 * scale + ctx.measureText(words).width;
      }
    }
    ctx.restore();
  };
  const sayWhere = (chart) => {
    const point = chart.cursor.idx;
    write(at("curve-note"), point == null ? "" : say("curvePoint", span(chart.data[0][point]), number(chart.data[1][point])));
  };
  const showCurve = () => {
    const curve = detail.curve || [];
    at("pace").hidden = curve.length < 2;
    if (curve.length < 2) return;
    const data = [[0, ...curve.map(([ms]) => ms / 1000)], [0, ...curve.map(([, n]) => n)]];
    const box = at("curve");
    box.setAttribute("aria-label", say("curveSays", number(data[1].at(-1)), span(data[0].at(-1))));
    const width = Math.max(box.clientWidth, 240);
    if (plot === null) {
      const axis = { stroke: () => colour("--soft"), grid: { stroke: () => colour("--line"), width: 1 }, ticks: { show: false }, font: chartFont };
      plot = new uPlot({
        width, height: 220, legend: { show: false }, scales: { x: { time: false } },
        cursor: { drag: { x: false, y: false }, points: { size: 8 } },
        axes: [{ ...axis, size: 28, gap: 4, label: say("seconds"), labelSize: 20, labelGap: 0, labelFont: chartFont, values: (_, ticks) => ticks.map((n) => number(n)) },
          { ...axis, size: 74, values: (_, ticks) => ticks.map((n) => number(n)) }],
        series: [{}, { stroke: () => colour("--accent"), width: 2, fill: () => `${colour("--accent")}22`, points: { show: false } }],
        hooks: { draw: [drawShares], setCursor: [sayWhere] },
      }, data, box);
    } else {
      plot.setSize({ width, height: 220 });
      plot.setData(data);
    }
  };

  const showDetail = () => {
    const has = detail !== null;
    write(at("detail-title"), has ? titleOf(detail) : say("noEvent"));
    at("detail-state").hidden = !has;
    for (const id of ["going", "outcomes", "held", "wrong", "where", "pace"]) if (!has) at(id).hidden = true;
    if (!has) {
      write(at("detail-id"), "");
      figures(at("figures"), []);
      return;
    }
    at("detail-state").className = `chip ${detail.state}`;
    write(at("detail-state"), term("states", detail.state));
    const audience = (detail.audience || []).slice(0, 3).map(nameOf).join(", ") +
      (detail.selectors > 3 ? say("more", number(detail.selectors - 3)) : "");
    write(at("detail-id"), [detail.event, term("priority", detail.priority || ""), detail.category,
      detail.mode === "dry_run" ? say("dryRun") : "", audience ? say("selectors", audience) : ""].filter(Boolean).join(" · "));
    const departments = Object.values(detail.departments || {});
    const population = departments.reduce((sum, one) => sum + one.population, 0);
    const entries = [[say(isOver(detail) ? "targeted" : "targetedSoFar"), number(detail.targeted)], [say("accepted"), number(detail.accepted)]];
    if (population) {
      const reached = departments.reduce((sum, one) => sum + one.accepted, 0);
      entries.push([say("reach"), percent(reached / population)], [say("inhabitants"), number(population)]);
    }
    if (detail.p90_ms != null && isOver(detail)) entries.push([say("p90"), span(detail.p90_ms / 1000)]);
    for (const kind of ["received", "displayed", "opened"]) if (detail[kind] != null) entries.push([say(kind), number(detail[kind])]);
    if (confirmedWords(detail)) entries.push([say("confirmed"), confirmedWords(detail)]);
    if (detail.waiting_for_retry) entries.push([say("retryWaiting"), number(detail.waiting_for_retry)]);
    for (const one of detail.deferred || []) entries.push([say("deferredUntil", time(one.until)), count("territories", one.territories)]);
    if (detail.retries) entries.push([say("retries"), number(detail.retries)]);
    if (detail.possible_duplicates) entries.push([say("duplicates"), number(detail.possible_duplicates)]);
    figures(at("figures"), entries);
    showGoing();
    showOutcomes();
    showHeld();
    showReasons();
    showWhere();
    showCommunes();
    showCurve();
  };

  const takeDetail = (document) => {
    if (document !== null && document.event !== chosen) return;
    // The stream's has no communes; those of the table that is open stay until they are asked for again.
    if (document !== null && !document.communes && detail !== null && detail.event === document.event) document.communes = detail.communes;
    detail = document;
    showDetail();
  };

  /** Asks for the chosen event at once; the stream goes on with it. */
  const askForDetail = async () => {
    const id = chosen;
    if (id === "" || askedFor === id) {
      if (id === "" && detail !== null) takeDetail(null);
      return;
    }
    askedFor = id;
    try {
      // The table of a nation's communes is two megabytes: asked for only while somebody looks at it.
      const answer = await fetch(`/api/v1/events/${encodeURIComponent(id)}${at("communes-box").open ? "" : "?communes=0"}`);
      const document = answer.ok ? await answer.json() : null;
      if (chosen === id && (answer.ok || answer.status === 404)) takeDetail(document);
    } catch {
      // The stream says that the engine is gone.
    } finally {
      askedFor = "";
    }
  };

  // --- where it comes from

  let lostTimer = 0;
  const expectWord = () => {
    clearTimeout(lostTimer);
    lostTimer = setTimeout(() => { showState(true); expectWord(); }, 3500);
  };
  /** Follows everything, and the chosen event. */
  const listen = () => {
    if (source !== null) source.close();
    following = chosen;
    source = new EventSource(chosen === "" ? "/api/v1/stream" : `/api/v1/stream?event=${encodeURIComponent(chosen)}`);
    source.addEventListener("status", (message) => {
      status = JSON.parse(message.data);
      heardAt = Date.now();
      expectWord();
      showStatus();
      if (chosen !== following) {  // The first event there is, chosen by nobody.
        listen();
        askForDetail();
      }
    });
    source.addEventListener("detail", (message) => takeDetail(JSON.parse(message.data)));
    const mine = source;
    source.addEventListener("error", () => {
      if (mine !== source) return;
      showState(true);
      if (source.readyState === EventSource.CLOSED) setTimeout(() => { if (mine === source) listen(); }, 2000);
    });
  };

  at("communes-box").addEventListener("toggle", () => { if (at("communes-box").open && !(detail || {}).communes) askForDetail(); });
  addEventListener("resize", () => { if (detail) showCurve(); });
  addEventListener("hashchange", () => choose(named()));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (plot) plot.redraw(); });
  showState(false);
  tocsinMap.draw(at("map"), at("overseas")).then(() => { if (detail) showDetail(); });
  listen();
  expectWord();
  askForDetail();
  setInterval(() => {
    if (!document.hidden && at("communes-box").open && detail !== null && (!isOver(detail) || detail.displayed != null)) askForDetail();
  }, communesEvery);
})();
