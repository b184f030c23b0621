"use strict";
// The departments of metropolitan France by their outlines, all others as boxes beside them.
const tocsinMap = (() => {
  const svg = "http://www.w3.org/2000/svg";
  const steps = [0.05, 0.10, 0.20, 0.35];  // A mayor's aim is 35 % of the inhabitants.
  const overseas = {
    971: "Guadeloupe", 972: "Martinique", 973: "Guyane", 974: "La Réunion", 975: "Saint-Pierre-et-Miquelon", 976: "Mayotte",
    977: "Saint-Barthélemy", 978: "Saint-Martin", 984: "Terres australes", 986: "Wallis-et-Futuna",
    987: "Polynésie française", 988: "Nouvelle-Calédonie", 989: "Clipperton",
  };
  const names = { ...overseas };
  const shapes = {};

  const make = (name, attributes) => {
    const element = document.createElementNS(svg, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };
  const titled = (shape, code) => {
    shape.append(make("title", {}));
    shapes[code] = shape;
    return shape;
  };

  /** Draws the empty map into `into`. */
  const draw = async (into) => {
    const answer = await fetch("/departments-map.json");
    const data = await answer.json();
    const [, , width, height] = data.viewBox.split(" ").map(Number);
    const picture = make("svg", { viewBox: `0 0 ${width + 96} ${height}`, "aria-hidden": "true", focusable: "false" });
    for (const [code, one] of Object.entries(data.departments)) {
      names[code] = one.name;
      picture.append(titled(make("path", { d: one.path }), code));
    }
    Object.keys(overseas).filter((code) => !["984", "989"].includes(code)).forEach((code, i) => {
      const y = 24 + i * 48;
      picture.append(titled(make("rect", { x: width + 18, y, width: 34, height: 34, rx: 5 }), code));
      const label = make("text", { x: width + 58, y: y + 21 });
      label.textContent = code;
      picture.append(label);
    });
    into.setAttribute("role", "img");
    into.replaceChildren(picture);
  };

  const step = (reach) => {
    if (!reach) return 0;
    let i = 1;
    while (i <= steps.length && reach >= steps[i - 1]) ++i;
    return i;
  };

  /** Colours it by the share of inhabitants whose device accepted. */
  const show = (departments) => {
    for (const [code, shape] of Object.entries(shapes)) {
      const one = departments[code];
      shape.setAttribute("class", one ? `for r${step(one.reach)}` : "");
      shape.querySelector("title").textContent = one
        ? `${names[code]}: ${tocsinWords.number(one.accepted)} (${tocsinWords.percent(one.reach || 0)})`
        : `${names[code]}: ${tocsinWords.say("notFor")}`;
    }
  };

  const legend = () => {
    const words = [tocsinWords.say("none")];
    for (const edge of steps) words.push(tocsinWords.say("upTo", tocsinWords.number(edge * 100)));
    words.push(tocsinWords.say("atLeast", tocsinWords.number(steps.at(-1) * 100)));
    return words;
  };

  return { draw, show, legend, name: (code) => names[code] || code };
})();
