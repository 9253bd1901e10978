"use strict";
// What HTML cannot do: times that people say, news for screen readers, and panels that wait
// while somebody types.
(() => {
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  const whole = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", hour12: false });

  function relative(at) {
    const seconds = (at - Date.now()) / 1000;
    for (const [size, unit] of units) {
      if (Math.abs(seconds) >= size) return words.format(Math.trunc(seconds / size), unit);
    }
    return "now";
  }

  function tell(time) {
    const at = new Date(time.dateTime);
    const style = time.dataset.style;
    const isToday = Math.abs(at - Date.now()) < 86400000;
    if (style === "due") time.textContent = at <= Date.now() ? "now" : relative(at);
    else if (style === "clock") time.textContent = isToday ? clock.format(at) : `${at.toLocaleDateString(undefined, { day: "numeric", month: "short" })} ${clock.format(at)}`;
    else time.textContent = relative(at);
    if (!time.title) time.title = whole.format(at);
  }

  function tellAll(root) {
    for (const time of root.querySelectorAll("time[datetime]")) tell(time);
  }

  function isBusy(panel) {
    const held = document.activeElement;
    if (!held || !panel.contains(held)) return false;
    return held.matches("textarea, select, input:not([type=hidden])");
  }

  function announce() {
    const count = document.getElementById("alert-count");
    if (!count) return;
    const known = announce.known;
    const cards = [...document.querySelectorAll("[data-alert]")];
    announce.known = new Set(cards.map((card) => card.dataset.alert));
    document.title = Number(count.dataset.count) ? `(${count.dataset.count}) Goodname` : "Goodname";
    if (!known) return;
    const fresh = cards.filter((card) => !known.has(card.dataset.alert));
    for (const card of fresh) card.classList.add("fresh");
    if (fresh.length) {
      const first = fresh[0].querySelector("h3").textContent.trim();
      const level = fresh[0].querySelector(".level").textContent;
      const more = fresh.length > 1 ? ` and ${fresh.length - 1} more` : "";
      document.getElementById("news").textContent = `New ${level} alert: ${first}${more}`;
    }
  }

  function live(isLive) {
    const mark = document.getElementById("live");
    if (!mark || mark.classList.contains("lost") === !isLive) return;
    mark.classList.toggle("lost", !isLive);
    document.getElementById("live-text").textContent = isLive ? "Live" : "No connection, trying again";
  }

  let opened = [];
  document.addEventListener("htmx:beforeSwap", (event) => {
    const panel = event.detail.target;
    if (!panel || !panel.matches("[data-panel]")) return;
    const isPoll = event.detail.requestConfig.elt === panel;
    if (isPoll && isBusy(panel)) event.detail.shouldSwap = false;
    opened = isPoll ? [...panel.querySelectorAll("details[open]")].map((one) => one.id) : [];
    // A half-written root cause is kept even when its field has lost the focus.
    for (const field of panel.querySelectorAll("textarea")) {
      if (isPoll && field.value.trim()) event.detail.shouldSwap = false;
    }
  });
  document.addEventListener("htmx:load", (event) => {
    for (const id of opened) {
      const one = id && document.getElementById(id);
      if (one) one.open = true;
    }
    tellAll(event.detail.elt);
    announce();
  });
  document.addEventListener("htmx:afterRequest", (event) => live(event.detail.successful));
  document.addEventListener("htmx:sendError", () => live(false));
  document.addEventListener("htmx:timeout", () => live(false));
  // Nobody looks at a hidden tab; its panels rest.
  document.addEventListener("htmx:beforeRequest", (event) => {
    if (document.hidden && event.detail.elt.matches("[data-panel]")) event.preventDefault();
  });
  document.addEventListener("DOMContentLoaded", () => {
    tellAll(document);
    announce();
    setInterval(() => tellAll(document), 5000);
  });
})();
