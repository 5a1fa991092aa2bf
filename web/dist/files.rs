// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-W3rEjpUP.js", kind: "text/javascript; charset=utf-8", digest: "6798da54bb8c51c2", bytes: include_bytes!("assets/controls-W3rEjpUP.js") },
    File { path: "assets/embed-CtjTSe-L.js", kind: "text/javascript; charset=utf-8", digest: "3f9b4a52ff49fdef", bytes: include_bytes!("assets/embed-CtjTSe-L.js") },
    File { path: "assets/main-DE9ym5PQ.js", kind: "text/javascript; charset=utf-8", digest: "05838359ae073184", bytes: include_bytes!("assets/main-DE9ym5PQ.js") },
    File { path: "assets/method-CAKF4KE-.js", kind: "text/javascript; charset=utf-8", digest: "004294e90481c7d5", bytes: include_bytes!("assets/method-CAKF4KE-.js") },
    File { path: "assets/stage-chart-BxBcSqPr.js", kind: "text/javascript; charset=utf-8", digest: "095a76f8999de6a2", bytes: include_bytes!("assets/stage-chart-BxBcSqPr.js") },
    File { path: "assets/stage-chart-Gbt1PHCe.css", kind: "text/css; charset=utf-8", digest: "272c4d679968ad55", bytes: include_bytes!("assets/stage-chart-Gbt1PHCe.css") },
    File { path: "assets/where-DHS9StXw.js", kind: "text/javascript; charset=utf-8", digest: "343b66f0bd8f5785", bytes: include_bytes!("assets/where-DHS9StXw.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "cbc48b7c09bf730b", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "60f3ee788107f6f4", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
