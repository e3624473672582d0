// What a page looks like from inside the browser: everything that a test asks of it, as text at its end.
"use strict";
const RESULT = "page-check-result";
const LEAST = 2.5; // pixels by which boxes may touch: line boxes are higher than letters

function named(element) {
  const own = element.id ? "#" + element.id : element.className && typeof element.className === "string" ? "." + element.className : "";
  return `${element.tagName.toLowerCase()}${own} "${(element.textContent || "").trim().slice(0, 40)}"`;
}

function shown(element) {
  return element.checkVisibility ? element.checkVisibility({opacityProperty: true, visibilityProperty: true}) : element.offsetParent !== null;
}

// Cells and frames whose content is wider than they are, and blocks that stick out of the page.
function outside() {
  const found = [];
  for (const element of document.querySelectorAll("td, th, caption, figure, .scroll, .card, .live, .choices, pre, p, li")) {
    if (!shown(element)) continue;
    const may = getComputedStyle(element).overflowX !== "visible" && element.tagName === "PRE";
    if (!may && element.scrollWidth > element.clientWidth + 1 && element.clientWidth > 0) found.push(named(element));
    const box = element.getBoundingClientRect();
    if (box.right > window.innerWidth + 1 || box.left < -1) found.push(named(element) + " off the page");
  }
  return found;
}

// Texts that lie on each other: every line of every text node, sorted from top to bottom.
function covered() {
  const lines = [], walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const node = walker.currentNode, parent = node.parentElement;
    if (!node.data.trim() || parent.closest("script, style, option, select, .vega-actions, details.vega-embed > summary")) continue;
    if (!shown(parent)) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const box of range.getClientRects()) if (box.width > 1 && box.height > 1) lines.push({box, parent, text: node.data.trim()});
  }
  lines.sort((a, b) => a.box.top - b.box.top);
  const found = [];
  for (let i = 0; i < lines.length; i++) {
    const a = lines[i].box;
    for (let j = i + 1; j < lines.length && lines[j].box.top < a.bottom - LEAST; j++) {
      const b = lines[j].box;
      const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left), high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
      if (wide > LEAST && high > 0.35 * Math.min(a.height, b.height)) found.push(`${lines[i].text.slice(0, 30)} | ${lines[j].text.slice(0, 30)}`);
    }
  }
  return found;
}

async function drawn() {
  const wanted = document.querySelectorAll(".live").length;
  for (let tries = 0; tries < 100 && document.querySelectorAll(".live.ready").length < wanted; tries++) {
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}

window.addEventListener("load", async () => {
  await drawn();
  const images = [...document.images].filter(shown);
  const foreign = [...document.querySelectorAll("[src], link[href]")].map(e => e.getAttribute("src") || e.getAttribute("href"));
  const ids = [...document.querySelectorAll("[id]:not(svg *):not(#page-check)")].map(element => element.id);
  const found = {
    title: document.title,
    images: document.images.length,
    broken: [...document.images].filter(image => !image.complete || image.naturalWidth === 0).map(image => image.alt),
    unnamed: [...document.images].filter(image => !image.alt).length,
    links: [...document.querySelectorAll("a[href]")].filter(a => !a.closest(".chart")).map(a => a.getAttribute("href")),
    ids: ids,
    scripts: [...document.scripts].filter(script => script.id !== "page-check" && script.type !== "application/json").length,
    charts: document.querySelectorAll(".live.ready .chart svg.marks").length,
    live: document.querySelectorAll(".live").length,
    foreign: foreign.filter(address => !/^(data:|blob:|#)/.test(address)),
    outside: outside(),
    covered: covered(),
    overflow: document.documentElement.scrollWidth - window.innerWidth,
    height: document.documentElement.scrollHeight,
    invisible: [...document.querySelectorAll("table, figure img")].filter(e => e.offsetHeight === 0
      && !e.closest("details:not([open]), .live.ready")).length,
    text: document.body.innerText,
  };
  try { found.answers = await ask(); } catch (error) { found.answers = ["error: " + error]; }
  const place = document.createElement("pre");
  place.id = RESULT;
  place.textContent = encodeURIComponent(JSON.stringify(found));
  document.body.appendChild(place);
});
