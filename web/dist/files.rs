// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-B-CQgN46.js", kind: "text/javascript; charset=utf-8", digest: "cf6aad27e8661a5c", bytes: include_bytes!("assets/embed-B-CQgN46.js") },
    File { path: "assets/main-CWj0pTX8.js", kind: "text/javascript; charset=utf-8", digest: "a32a8982dd8e4dd8", bytes: include_bytes!("assets/main-CWj0pTX8.js") },
    File { path: "assets/stage-chart-CocEs3zJ.js", kind: "text/javascript; charset=utf-8", digest: "d7166a9b20112cc7", bytes: include_bytes!("assets/stage-chart-CocEs3zJ.js") },
    File { path: "assets/stage-chart-DiXJfX9S.css", kind: "text/css; charset=utf-8", digest: "bd032caf460766df", bytes: include_bytes!("assets/stage-chart-DiXJfX9S.css") },
    File { path: "assets/where-BM-3Io3w.js", kind: "text/javascript; charset=utf-8", digest: "ae24bfd9cea50d48", bytes: include_bytes!("assets/where-BM-3Io3w.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "1cb23ee5f9017e0e", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "063856f24639a6e6", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
