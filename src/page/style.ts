// The report's style sheet. One column on a phone, arms side by side on a desk, dark when the reader's system is,
// plain ink in print. Video is blue, audio is orange everywhere; what cannot be known is underlined red.

export const styleSheet = `
:root { --ink:#1d2433; --soft:#5b6579; --line:#dfe3ea; --paper:#fff; --card:#f7f8fa; --video:#2f6fde; --audio:#d9730d; --emotion:#4f8a4f; --bad:#c9302c; --good:#1f8a4c; }
@media (prefers-color-scheme: dark) { :root { --ink:#e6e9f0; --soft:#9aa4b8; --line:#323a4a; --paper:#141821; --card:#1c2230; --video:#6ea2ff; --audio:#ff9e4a; --emotion:#86c486; --bad:#ff6b66; --good:#5fd08f; } }
* { box-sizing:border-box; }
body { margin:0 auto; max-width:1180px; padding:1.5rem 1rem 4rem; font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif; color:var(--ink); background:var(--paper); }
h1 { font-size:1.7rem; line-height:1.2; margin:.2em 0; } h2 { margin:2.2em 0 .4em; font-size:1.25rem; } h3,h4,h5 { margin:.2em 0; } h5 { color:var(--soft); font-weight:600; font-size:.78rem; }
p { margin:.4em 0; } .lede { font-size:1.1rem; max-width:62em; } .muted { color:var(--soft); font-size:.9rem; }
.scroll { overflow-x:auto; }
table { border-collapse:collapse; } .results { width:100%; font-variant-numeric:tabular-nums; }
.results th,.results td { text-align:right; padding:.32em .7em; border-bottom:1px solid var(--line); white-space:nowrap; }
.results th:first-child { text-align:left; position:sticky; left:0; background:var(--paper); font-weight:500; white-space:normal; min-width:11em; }
.results tbody tr.group th { color:var(--soft); font-size:.8rem; padding-top:1.1em; text-transform:uppercase; letter-spacing:.04em; border-bottom:1px solid var(--ink); }
.results td small { color:var(--soft); display:block; font-size:.72rem; line-height:1.1; } .results .best { font-weight:700; color:var(--good); }
.results .hint { color:var(--soft); font-size:.78rem; font-weight:400; display:block; }
.charts { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(100%,340px),1fr)); gap:1rem; } .chart { background:var(--card); border-radius:10px; padding:.6rem .8rem; } .chart .u-legend { font-size:.75rem; text-align:left; }
.dots { width:100%; height:auto; } .dots text { font:12px system-ui,sans-serif; fill:var(--ink); } .dots .axis { fill:var(--soft); font-size:10px; } .dots line { stroke:var(--line); }
.clip { background:var(--card); border-radius:14px; padding:1rem; margin:1rem 0; } .clip>header { display:flex; flex-wrap:wrap; gap:1rem; } .clip video { width:256px; max-width:100%; border-radius:10px; aspect-ratio:1; background:#000; } .clip header>div { flex:1 1 260px; }
.subtitle { font-style:italic; } .chip { display:inline-block; border:1px solid currentColor; border-radius:99px; padding:.02em .6em; margin:.1em 0; font-size:.84rem; }
.chip.video,.routing th.video { color:var(--video); } .chip.audio,.routing th.audio { color:var(--audio); } .chip.emotion,.routing th.emotion { color:var(--emotion); }
.arms { display:grid; grid-template-columns:repeat(auto-fit,minmax(min(100%,250px),1fr)); gap:1rem; margin-top:.8rem; } .arms section { min-width:0; } .arms h4 { border-bottom:2px solid var(--line); }
.narration p { font-size:.92rem; } mark { color:inherit; border-radius:4px; padding:0 .15em; background:none; }
mark.video { background:color-mix(in srgb,var(--video) 22%,transparent); } mark.audio { background:color-mix(in srgb,var(--audio) 24%,transparent); } mark.emotion { background:color-mix(in srgb,var(--emotion) 20%,transparent); }
mark.absent { text-decoration:line-through; text-decoration-color:var(--bad); text-decoration-thickness:2px; } mark.unseen { text-decoration:underline wavy var(--bad); text-underline-offset:3px; }
.answer { font-weight:700; } .answer::before { content:"\\2192\\00a0"; color:var(--soft); } .broken { color:var(--bad); }
details { margin-top:.8rem; } summary { cursor:pointer; color:var(--soft); }
.routing { font-size:.72rem; } .routing th[scope=row] { text-align:right; font-weight:500; padding:0 .5em; white-space:nowrap; } .routing thead th { height:8.5em; vertical-align:bottom; font-weight:400; } .routing thead span { writing-mode:vertical-rl; transform:rotate(180deg); max-height:9em; overflow:hidden; }
.routing td { width:2em; min-width:1.7em; height:1.7em; text-align:center; border:1px solid var(--card); } .routing td.video { background:color-mix(in srgb,var(--video) var(--strength),var(--paper)); } .routing td.audio { background:color-mix(in srgb,var(--audio) var(--strength),var(--paper)); } .routing td.emotion { background:color-mix(in srgb,var(--emotion) var(--strength),var(--paper)); }
.divergence span { border-radius:3px; white-space:pre-wrap; } .divergence .video { background:color-mix(in srgb,var(--video) calc(var(--strength)*.8),transparent); } .divergence .audio { background:color-mix(in srgb,var(--audio) calc(var(--strength)*.8),transparent); }
.legend { display:flex; flex-wrap:wrap; gap:.3em 1.2em; font-size:.88rem; color:var(--soft); } .facts { display:grid; grid-template-columns:max-content 1fr; gap:.1em 1em; font-size:.88rem; } .facts dt { color:var(--soft); } .facts dd { margin:0; overflow-wrap:anywhere; }
@media (max-width:640px) { .dots { min-width:820px; } .results { font-size:.84rem; } .results th,.results td { padding:.3em .22em; } .results td small { font-size:.58rem; } .results thead th,.results tbody tr.group th { white-space:normal; } .results th:first-child { min-width:6.6em; } .results .hint { display:none; } }
@media print { :root { --ink:#000; --paper:#fff; --card:#fff; --line:#bbb; --soft:#444; --video:#2f6fde; --audio:#d9730d; --emotion:#4f8a4f; } body { max-width:none; padding:0; font-size:11px; } * { -webkit-print-color-adjust:exact; print-color-adjust:exact; } .clip,.chart,tr { break-inside:avoid; } .clip { border:1px solid var(--line); } .clip video { width:120px; } details>summary { display:none; } }
`;
