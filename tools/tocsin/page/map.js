"use strict";
// The departments of metropolitan France by their outlines, those overseas by their names.
const tocsinMap = (() => {
  const svg = "http://www.w3.org/2000/svg";
  const classes = 5;
  const roundTops = [1, 1.5, 2, 3, 5, 7.5, 10];
  const overseas = {
    971: "Guadeloupe", 972: "Martinique", 973: "Guyane", 974: "La Réunion", 975: "Saint-Pierre-et-Miquelon", 976: "Mayotte",
    977: "Saint-Barthélemy", 978: "Saint-Martin", 984: "Terres australes", 986: "Wallis-et-Futuna",
    987: "Polynésie française", 988: "Nouvelle-Calédonie", 989: "Clipperton",
  };
  const names = { ...overseas };
  const shapes = {};
  const boxes = {};
  let picture = null;
  let whole = "";
  let beside = null;
  let labels = null;
  let shown = "";

  const make = (name, attributes) => {
    const element = document.createElementNS(svg, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  /** Draws the empty map into `into`, and what lies overseas into `others`. */
  const draw = async (into, others) => {
    beside = others;
    const answer = await fetch("/departments-map.json");
    const data = await answer.json();
    whole = data.viewBox;
    picture = make("svg", { viewBox: whole, "aria-hidden": "true", focusable: "false" });
    for (const [code, one] of Object.entries(data.departments)) {
      names[code] = one.name;
      shapes[code] = make("path", { d: one.path });
      shapes[code].append(make("title", {}));
      picture.append(shapes[code]);
    }
    labels = picture.appendChild(make("g", {}));
    for (const code of Object.keys(overseas).filter((one) => !["984", "989"].includes(one))) {
      const item = document.createElement("li");
      const swatch = document.createElement("span");
      const name = document.createElement("span");
      name.textContent = overseas[code];
      item.append(swatch, name);
      boxes[code] = item;
      beside.append(item);
    }
    into.setAttribute("role", "img");
    into.replaceChildren(picture);
  };

  /**
   * Where the scale ends, for an event of which `progress` is done: a round number above the share that will have
   * accepted when all is. So a department darkens while its devices accept, whether a tenth or a thousandth of the
   * inhabitants have the app.
   */
  const scaleTop = (departments, progress) => {
    let accepted = 0;
    let population = 0;
    for (const one of Object.values(departments)) {
      accepted += one.accepted;
      population += one.population;
    }
    if (accepted === 0 || population === 0) return 0.5;
    const wanted = 1.25 * (accepted / population) / Math.max(progress, 0.02);
    const decade = 10 ** Math.floor(Math.log10(wanted));
    return Math.min(1, decade * roundTops.find((top) => top * decade >= wanted * 0.999));
  };

  // Not the engine's own `reach`, which is cut to four decimals.
  const reachOf = (one) => (one.population ? one.accepted / one.population : 0);
  const step = (reach, top) => !reach ? 0 : Math.min(classes, 1 + Math.floor((reach / top) * classes + 1e-9));

  // The map shows those departments that the event is for, and what is around them.
  const aim = (codes) => {
    const key = codes.join(" ");
    if (key === shown) return;
    shown = key;
    beside.hidden = !codes.some((code) => boxes[code]);
    labels.replaceChildren();
    const inside = codes.filter((code) => shapes[code]).map((code) => [code, shapes[code].getBBox()]);
    const [, , width, height] = whole.split(" ").map(Number);
    const left = Math.min(...inside.map(([, box]) => box.x));
    const right = Math.max(...inside.map(([, box]) => box.x + box.width));
    const top = Math.min(...inside.map(([, box]) => box.y));
    const bottom = Math.max(...inside.map(([, box]) => box.y + box.height));
    const size = Math.max(right - left, bottom - top) * 1.5;
    if (inside.length === 0 || inside.length !== codes.length || size > width * 0.6) {
      picture.setAttribute("viewBox", whole);
      return;
    }
    const seen = Math.max(size, width / 3);
    const within = (middle, limit) => Math.max(0, Math.min(limit - seen, middle - seen / 2));
    picture.setAttribute("viewBox", `${within((left + right) / 2, width)} ${within((top + bottom) / 2, height)} ${seen} ${seen}`);
    for (const [code, box] of inside) {
      const label = make("text", { x: box.x + box.width / 2, y: box.y + box.height / 2, "font-size": seen / 32, "stroke-width": seen / 130 });
      label.textContent = code;
      labels.append(label);
    }
  };

  /** Colours it by the share of inhabitants whose device accepted. Returns the words of the scale. */
  const show = (departments, progress) => {
    const top = scaleTop(departments, progress);
    for (const [code, shape] of Object.entries({ ...shapes, ...boxes })) {
      const one = departments[code];
      const colour = `r${one ? step(reachOf(one), top) : 0}`;
      const words = one ? `${names[code]}: ${tocsinWords.number(one.accepted)} (${tocsinWords.percent(reachOf(one))})`
        : `${names[code]}: ${tocsinWords.say("notFor")}`;
      if (boxes[code]) {
        shape.className = one ? "for" : "";
        shape.firstChild.className = `swatch ${colour}`;
        shape.title = words;
      } else {
        shape.setAttribute("class", one ? `for ${colour}` : "");
        shape.firstChild.textContent = words;
      }
    }
    aim(Object.keys(departments).sort());
    const edges = Array.from({ length: classes - 1 }, (_, i) => tocsinWords.percent((top * (i + 1)) / classes));
    return [tocsinWords.say("none"), ...edges.map((edge) => tocsinWords.say("upTo", edge)), tocsinWords.say("atLeast", edges.at(-1))];
  };

  return { draw, show, ready: () => picture !== null, name: (code) => names[code] || code };
})();
