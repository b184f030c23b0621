#include "tools/proof/certificate_style.hpp"

namespace tocsin::proof {

// Sizes are in points and millimetres: 25 communes must fit on one sheet, with whatever font is there.
const std::string_view certificate_style = R"css(
@page { size: A4; margin: 9mm 13mm 10.5mm;
  @bottom-right { content: "page " counter(page) " / " counter(pages); font: 6.5pt sans-serif; color: #5b6576; } }
* { box-sizing: border-box; }
html { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
body { margin: 0; color: #16202f; background: #fff;
  font: 8pt/1.28 "Marianne", "Source Sans 3", "Liberation Sans", "Helvetica Neue", Arial, "DejaVu Sans", sans-serif;
  font-variant-numeric: tabular-nums; }
main { max-width: 184mm; margin: 0 auto; }
@media print { .roomy main { zoom: 1.17; } }
h1, h2, p, dl, dd, figure { margin: 0; }
h1 { font-size: 14.5pt; line-height: 1.14; font-weight: 700; overflow-wrap: anywhere; }
h1.long { font-size: 11.5pt; }
h2 { font-size: 7.2pt; font-weight: 700; letter-spacing: .06em; text-transform: uppercase; color: #1d4580;
  margin-bottom: .8mm; }
header { display: flex; align-items: center; gap: 4mm; padding-bottom: 2mm; border-bottom: .7mm solid #1d4580; }
header svg { flex: none; width: 11.5mm; height: 11.5mm; }
header .text { flex: 1; min-width: 0; }
.kind { font-size: 7.4pt; font-weight: 700; letter-spacing: .09em; text-transform: uppercase; color: #1d4580; }
.state { flex: none; align-self: flex-start; padding: .8mm 2.4mm; border-radius: 1mm; font-weight: 700;
  font-size: 7.6pt; color: #0f5132; background: #dff1e6; }
.state.bad { color: #7a1a10; background: #fbe3df; }
.state.test { color: #5a3d00; background: #fdf0cf; }
.lede { margin: 2.2mm 0; font-size: 8.6pt; line-height: 1.32; }
.figures { display: grid; grid-template-columns: repeat(4, 1fr); gap: 1.4mm; margin-bottom: 2.6mm; }
.figures div { padding: .9mm 2.2mm .7mm; background: #f1f4f9; border-left: .7mm solid #1d4580; }
.figures .seen { border-left-color: #b3471d; }
.figures dt { font-size: 6.8pt; color: #46536a; }
.figures dd { font-size: 12pt; line-height: 1.15; font-weight: 700; }
.two { display: grid; grid-template-columns: 1fr 1fr; gap: 5mm; margin-bottom: 2.6mm; }
blockquote { margin: 0; padding-left: 2.4mm; border-left: .5mm solid #c3cddd; white-space: pre-line;
  overflow-wrap: anywhere; }
.facts { display: grid; grid-template-columns: auto 1fr; column-gap: 3mm; row-gap: .3mm; }
.facts dt { color: #46536a; }
.facts dd { overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .3mm 1mm; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; padding-left: 0; }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-size: 6.8pt; font-weight: 700; color: #1d4580; border-bottom: .3mm solid #1d4580;
  vertical-align: bottom; }
tbody th { font-weight: 400; }
tbody tr + tr > * { border-top: .15mm solid #dde3ec; }
tfoot th, tfoot td { font-weight: 700; border-top: .3mm solid #1d4580; }
.communes { font-size: 7.1pt; line-height: 1.17; }
.communes th, .communes td { padding-top: .33mm; padding-bottom: .33mm; }
.communes tbody th { white-space: normal; overflow-wrap: anywhere; }
.communes tr { break-inside: avoid; }
thead { display: table-header-group; }
tfoot { display: table-row-group; }
caption { text-align: left; }
figure svg { display: block; width: 100%; height: auto; }
svg text { font-size: 9px; fill: #46536a; }
svg .line { fill: none; stroke: #1d4580; stroke-width: 2; stroke-linejoin: round; }
svg .area { fill: #1d4580; fill-opacity: .1; }
svg .grid { stroke: #dde3ec; stroke-width: 1; }
svg .axis { stroke: #8391a8; stroke-width: 1; }
svg .drop { stroke: #b3471d; stroke-width: 1; stroke-dasharray: 2 2; }
svg .dot { fill: #b3471d; stroke: #fff; stroke-width: 1.5; }
.times { display: grid; grid-template-columns: repeat(3, 1fr); gap: 1.6mm; margin-top: 1.4mm; }
.times dt { font-size: 6.8pt; color: #46536a; }
.times dd { font-weight: 700; }
footer { margin-top: 1.8mm; padding-top: 1.2mm; border-top: .3mm solid #c3cddd; font-size: 6.4pt; line-height: 1.3;
  color: #46536a; break-inside: avoid; }
footer p + p { margin-top: .5mm; }
code { font: 6pt "DejaVu Sans Mono", "Liberation Mono", Consolas, monospace; color: #16202f; overflow-wrap: anywhere; }
@media screen { body { background: #e9edf3; font-size: 10.5pt; } main { background: #fff; max-width: 210mm;
  margin: 6mm auto; padding: 11mm 13mm; box-shadow: 0 1mm 4mm #0002; } .communes { font-size: 9pt; } footer { font-size: 8.5pt; } code { font-size: 8pt; }
  .figures dt, .times dt, thead th, .kind, h2 { font-size: 8.5pt; } h1 { font-size: 18pt; } h1.long { font-size: 15pt; } .lede { font-size: 11pt; }
  .figures dd { font-size: 15pt; } th, td { padding: .7mm 1mm; } }
@media screen and (max-width: 700px) { main { padding: 4mm; margin: 0; } .two, .figures { grid-template-columns: 1fr 1fr; }
  .two { display: block; } .two > * + * { margin-top: 4mm; } .scroll { overflow-x: auto; } }
)css";

}  // namespace tocsin::proof
