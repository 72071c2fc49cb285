// Draws the dashboard's charts out of the tables below them: `data-chart` says how, `data-drawn` which columns, and the
// link of a row's label is where a click on its bar leads. Colours come from the style sheet, and are read again when
// the theme changes.
"use strict";
{
  const compact = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
  const still = window.matchMedia("(prefers-reduced-motion: reduce)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const RING = ["1", "2", "3", "4", "5", "6", "7", "8"];
  let charts = [];

  const colour = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // What a table says: its rows' labels and links, and a series of values and texts for each drawn column.
  function read(table) {
    const rows = [...table.tBodies[0].rows];
    const series = [...table.tHead.rows[0].cells].flatMap((head, index) => head.dataset.drawn ? [{
      name: head.textContent,
      drawn: head.dataset.drawn,
      isMoney: head.dataset.kind === "cents",
      values: rows.map((row) => Number(row.cells[index].dataset.value)),
      texts: rows.map((row) => row.cells[index].textContent),
    }] : []);
    const links = rows.map((row) => row.cells[0].querySelector("a")?.href);
    return { labels: rows.map((row) => row.cells[0].textContent), links, series };
  }

  function dataset(kind, line, index) {
    const shared = { label: line.name, data: line.values.map((value) => line.isMoney ? value / 100 : value) };
    if (kind === "ring") {
      return { ...shared, backgroundColor: RING.map((n) => colour(`ring-${n}`)), borderColor: colour("card-bg"), borderWidth: 2 };
    }
    if (line.drawn === "line") {
      return { ...shared, type: "line", order: 0, borderColor: colour("chart-line"), backgroundColor: colour("chart-line"),
        borderWidth: 2, pointRadius: 0, pointHoverRadius: 4, tension: 0.3 };
    }
    return { ...shared, order: 1 + index, backgroundColor: colour("chart-bar"), hoverBackgroundColor: colour("chart-bar-hover"),
      borderRadius: 3, maxBarThickness: 28, categoryPercentage: 0.85, barPercentage: 0.9 };
  }

  const short = (label, most) => label.length > most ? `${label.slice(0, most - 1)}…` : label;

  function scales(kind, width) {
    if (kind === "ring") return {};
    const ticks = { color: colour("chart-text") };
    const values = { beginAtZero: true, grid: { color: colour("chart-grid") }, border: { display: false },
      ticks: { ...ticks, maxTicksLimit: 6, callback: (value) => compact.format(value) } };
    const labels = { grid: { display: false }, border: { color: colour("chart-grid") }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 14,
      callback(value) {
        const label = this.getLabelForValue(value);
        return kind === "days" ? label.split(" ").slice(1, 3).join(" ") : short(label, width < 480 ? 16 : 30);
      } } };
    if (kind !== "bars") return { x: labels, y: values };
    labels.ticks.autoSkip = false;
    return { x: values, y: labels };
  }

  function draw(table) {
    const { labels, links, series } = read(table);
    const kind = table.dataset.chart;
    const canvas = table.closest(".card").querySelector("canvas");
    const open = (event, hit) => { if (hit.length && links[hit[0].index]) window.location.assign(links[hit[0].index]); };
    return new Chart(canvas, {
      type: kind === "ring" ? "doughnut" : "bar",
      data: { labels, datasets: series.map((line, index) => dataset(kind, line, index)) },
      options: {
        indexAxis: kind === "bars" ? "y" : "x",
        maintainAspectRatio: false,
        animation: still.matches ? false : { duration: 250 },
        cutout: "62%",
        scales: scales(kind, canvas.parentElement.clientWidth),
        interaction: kind === "ring" ? {} : { mode: "index", intersect: false, axis: kind === "bars" ? "y" : "x" },
        onClick: open,
        onHover: (event, hit) => { canvas.classList.toggle("leads-on", hit.length > 0 && Boolean(links[hit[0].index])); },
        plugins: {
          legend: { display: kind === "ring" || series.length > 1, position: "bottom",
            labels: { color: colour("chart-text"), usePointStyle: true, boxHeight: 7, padding: 14 } },
          tooltip: { backgroundColor: colour("tip-bg"), titleColor: colour("tip-fg"), bodyColor: colour("tip-fg"), padding: 10,
            callbacks: { label: (item) => ` ${item.dataset.label}: ${series[item.datasetIndex].texts[item.dataIndex]}` } },
        },
      },
    });
  }

  function drawAll() {
    charts.forEach((chart) => chart.destroy());
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 12;
    charts = [...document.querySelectorAll("table[data-chart]")].map(draw);
    document.documentElement.dataset.charts = "drawn";
  }

  drawAll();
  // A style sheet that comes late has changed the width of the cards.
  window.addEventListener("load", () => charts.forEach((chart) => chart.resize()));
  new MutationObserver(drawAll).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  dark.addEventListener("change", drawAll);
  still.addEventListener("change", drawAll);
  // A definition that is shown goes away with Escape (https://www.w3.org/TR/WCAG22/#content-on-hover-or-focus).
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && document.activeElement.closest(".definition")) document.activeElement.blur();
  });
}
