#pragma once
// What stands around a swarm's picture: the head of the page, its colours in light and dark, the
// patterns that tell bars apart without colour. Well-formed as XML too.
#include <string_view>

namespace vigil::ctl {

constexpr std::string_view page_before_title = R"html(<!DOCTYPE html>
<html lang="en" xmlns="http://www.w3.org/1999/xhtml"><head><meta charset="utf-8"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"/>
<title>)html";

constexpr std::string_view page_after_title = R"html(</title>
<style>
:root { color-scheme: light dark; --page: #ffffff; --ink: #1c2430; --quiet: #5d6876;
  --line: #dde2e8; --stripe: #f5f7f9; --done: #8fb4dd; --strong: #12427a; --bad: #cf3e3e;
  --warn: #c98512; --running: #4fa36b; --tile: #f2f5f8; }
@media (prefers-color-scheme: dark) {
  :root { --page: #14181e; --ink: #e3e8ee; --quiet: #9aa6b4; --line: #2b333d; --stripe: #191f26;
    --done: #44719f; --strong: #b9dbff; --bad: #ef6b6b; --warn: #e0a83c; --running: #63bd82;
    --tile: #1d242c; }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 20px 24px 48px; max-width: 1800px; background: var(--page);
  color: var(--ink); font: 14px/1.5 system-ui, "Segoe UI", Roboto, sans-serif; }
h1 { font-size: 21px; line-height: 1.3; margin: 0; overflow-wrap: anywhere; }
p { margin: 6px 0; }
.where, .note { color: var(--quiet); overflow-wrap: anywhere; }
.state { color: var(--ink); }
.state.done { color: var(--running); }
.state.failed, .error { color: var(--bad); }
.error { overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(140px, 1fr));
  gap: 8px; margin: 14px 0; }
.tiles div { background: var(--tile); border-radius: 6px; padding: 8px 14px; }
.tiles b { display: block; font-size: 19px; font-variant-numeric: tabular-nums; }
.tiles span { color: var(--quiet); font-size: 12px; white-space: nowrap; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 14px 0 10px; font-size: 12px;
  color: var(--quiet); }
.legend span { display: inline-flex; align-items: center; gap: 6px; white-space: nowrap; }
.chart { display: grid; grid-template-columns: 260px minmax(0, 1fr);
  border-bottom: 1px solid var(--line); }
.chart.lanes { grid-template-columns: minmax(0, 1fr); }
.names { margin-top: 24px; }
svg { display: block; }
.at { overflow: visible; }
.axis { position: sticky; top: 0; background: var(--page); }
.axis, .bars { overflow: visible; }
text { fill: var(--ink); font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, monospace; }
.axis text, .took { fill: var(--quiet); font-size: 11px; }
.took { text-anchor: end; }
.names .critical text { font-weight: 700; }
.names .failed text { fill: var(--bad); }
.names text.took { font-weight: 400; }
.stripe { fill: var(--stripe); }
.grid, .tick { stroke: var(--line); stroke-width: 1; shape-rendering: crispEdges; }
.done { fill: var(--done); stroke: var(--done); stroke-width: 0.8; }
.running { fill: var(--running); }
.failed:not(g) { fill: url(#cross); stroke: var(--bad); stroke-width: 1.5; }
.cancelled { fill: none; stroke: var(--warn); stroke-width: 1.5; stroke-dasharray: 4 3; }
.wasted { fill: url(#dots); stroke: var(--warn); stroke-width: 1; }
.guess { fill: url(#hatch); }
.reused { fill: none; }
.critical:not(g) { stroke: var(--strong); stroke-width: 2.5; }
.interface { fill: var(--page); stroke: var(--ink); stroke-width: 1.5; }
.reuse-mark { fill: none; stroke: var(--running); stroke-width: 2; }
g:hover rect { filter: brightness(1.15); }
.hatch { stroke: var(--page); stroke-width: 2; }
.cross { stroke: var(--bad); stroke-width: 1.5; fill: none; }
.dots { fill: var(--warn); }
ul { padding-left: 20px; margin: 16px 0; }
details { margin-top: 12px; }
summary { cursor: pointer; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: 13px; margin-top: 8px; }
th, td { text-align: left; padding: 3px 14px 3px 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--quiet); font-weight: 400; white-space: nowrap; }
</style></head><body>
<svg width="0" height="0" style="position:absolute" aria-hidden="true"><defs>
<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse"
  patternTransform="rotate(45)"><line class="hatch" x1="0" y1="0" x2="0" y2="6"/></pattern>
<pattern id="cross" width="7" height="7" patternUnits="userSpaceOnUse">
<path class="cross" d="M0 0 L7 7 M7 0 L0 7"/></pattern>
<pattern id="dots" width="5" height="5" patternUnits="userSpaceOnUse">
<circle class="dots" cx="2.5" cy="2.5" r="1.2"/></pattern>
</defs></svg>
)html";

constexpr std::string_view page_end = "</body></html>\n";

}  // namespace vigil::ctl
