"use strict";
const filters = document.getElementById("filters");
const bySource = document.getElementById("by-source");
const byDays = document.getElementById("by-days");
const firstDay = document.getElementById("first-day");
const lastDay = document.getElementById("last-day").dateTime;

function show() {
  const wanted = bySource.value.trim().toLowerCase();
  const days = Number(byDays.value);
  const since = new Date(Date.parse(lastDay) - (days - 1) * 864e5).toISOString().slice(0, 10);
  for (const row of document.querySelectorAll("[data-source]")) {
    row.hidden = !row.dataset.source.includes(wanted);
  }
  for (const row of document.querySelectorAll("[data-day]")) {
    row.hidden = row.dataset.day < since;
  }
  for (const row of document.querySelectorAll("[data-counts]")) {
    const counts = row.dataset.counts.split(" ").map(Number);
    const from = counts.length - days;
    row.querySelector("svg").setAttribute("viewBox", `${from * 10} 0 ${days * 10} 16`);
    row.querySelector(".total").textContent = counts.slice(from).reduce((sum, count) => sum + count, 0);
  }
  if (firstDay) firstDay.textContent = since;
  const rows = [...document.querySelectorAll("[data-counts]")];
  document.getElementById("shown").textContent =
    `${rows.filter((row) => !row.hidden).length} of ${rows.length} sources`;
}

function keyOf(row, column) {
  const cell = row.cells[column];
  return cell.dataset.key ?? cell.textContent.trim();
}

function compare(one, other) {
  const difference = one && other ? one - other : NaN;
  return Number.isNaN(difference) ? one.localeCompare(other, "en") : difference;
}

function sort(heading) {
  const ascending = heading.getAttribute("aria-sort") !== "ascending";
  for (const each of heading.parentElement.cells) each.setAttribute("aria-sort", "none");
  heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  const body = heading.closest("table").tBodies[0];
  const rows = [...body.rows].sort((a, b) => {
    const order = compare(keyOf(a, heading.cellIndex), keyOf(b, heading.cellIndex));
    return ascending ? order : -order;
  });
  body.append(...rows);
}

function openTarget() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) target.open = true;
}

for (const button of document.querySelectorAll("thead button")) {
  button.addEventListener("click", () => sort(button.parentElement));
}
filters.addEventListener("input", show);
filters.addEventListener("submit", (event) => event.preventDefault());
filters.addEventListener("reset", () => setTimeout(show));
window.addEventListener("hashchange", openTarget);
filters.hidden = false;
openTarget();
show();
