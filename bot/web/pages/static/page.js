"use strict";
// Theme: auto -> dark -> light; kept in a cookie so that the server's first paint is right.
const root = document.documentElement;
document.getElementById("theme").addEventListener("click", () => {
  const dark = root.dataset.theme === "dark" ||
    (root.dataset.theme === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
  root.dataset.theme = dark ? "light" : "dark";
  document.cookie = `ir_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
});

// Progress as it comes; text only, never HTML.
const live = document.getElementById("live");
if (live) {
  const stream = new EventSource(`/api/v1/investigations/${live.dataset.number}/stream`);
  const lines = new Map();
  stream.addEventListener("progress", (event) => {
    const { kind, payload, number } = JSON.parse(event.data);
    const key = kind === "progress" ? payload.step : kind === "source" ? `source ${payload.system}` : `${kind} ${number}`;
    if (!lines.has(key)) lines.set(key, live.appendChild(document.createElement("li")));
    const told = kind === "source" ? `${payload.system}: ${payload.what}`
      : `${payload.step || kind}${payload.status ? ` (${payload.status.replace("_", " ")})` : ""}${payload.detail ? `: ${payload.detail}` : ""}`;
    lines.get(key).textContent = told;
  });
  stream.addEventListener("end", () => {
    stream.close();
    if (live.dataset.running) location.reload();
  });
}

// Quotes are marked where the record shows them.
for (const shown of document.querySelectorAll("pre[data-quotes]")) {
  for (const quote of JSON.parse(shown.dataset.quotes)) {
    const text = [...shown.childNodes].find((node) => node.nodeType === 3 && quote && node.data.includes(quote));
    if (!text) continue;
    const found = text.splitText(text.data.indexOf(quote));
    found.splitText(quote.length);
    const mark = document.createElement("mark");
    found.replaceWith(mark);
    mark.append(found);
  }
}

// The chart: values under the pointer or by arrow keys, curves on and off.
const chart = document.getElementById("chart");
if (chart) {
  const curves = [...chart.querySelectorAll("polyline")].map((line) => ({
    line, name: line.dataset.name,
    values: line.dataset.values.split(" ").map((one) => one.split("=")),
    xs: line.getAttribute("points").split(" ").map((one) => Number(one.split(",")[0])),
  }));
  const cursor = document.getElementById("cursor"), reading = document.getElementById("reading");
  let place = 0;
  const show = (at) => {
    place = Math.max(0, Math.min(curves[0].xs.length - 1, at));
    cursor.setAttribute("d", `M${curves[0].xs[place]} 30V232`);
    cursor.setAttribute("visibility", "visible");
    const told = curves.filter((c) => !c.line.classList.contains("off") && c.values[place])
      .map((c) => `${c.name} ${c.values[place][1]}`).join(", ");
    reading.textContent = `${curves[0].values[place][0]} UTC: ${told}`;
  };
  chart.addEventListener("pointermove", (event) => {
    const box = chart.getBoundingClientRect(), x = (event.clientX - box.left) / box.width * 900;
    const xs = curves[0].xs;
    show(xs.reduce((best, one, at) => Math.abs(one - x) < Math.abs(xs[best] - x) ? at : best, 0));
  });
  chart.parentElement.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    reading.setAttribute("aria-live", "polite");
    show(place + (event.key === "ArrowRight" ? 1 : -1));
  });
  for (const button of document.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => {
      const off = button.getAttribute("aria-pressed") === "true";
      button.setAttribute("aria-pressed", String(!off));
      chart.querySelector(`polyline[data-curve="${button.dataset.curve}"]`).classList.toggle("off", off);
    });
  }
}
