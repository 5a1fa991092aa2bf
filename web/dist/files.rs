// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-D3OKcPBP.js", kind: "text/javascript; charset=utf-8", digest: "f8815d8c4e7b6d0f", bytes: include_bytes!("assets/dom-D3OKcPBP.js") },
    File { path: "assets/embed-Bm_zqlRQ.js", kind: "text/javascript; charset=utf-8", digest: "eeca1359dcfeedae", bytes: include_bytes!("assets/embed-Bm_zqlRQ.js") },
    File { path: "assets/main-m3YIBlQe.js", kind: "text/javascript; charset=utf-8", digest: "1ef654b35adf86b2", bytes: include_bytes!("assets/main-m3YIBlQe.js") },
    File { path: "assets/method-C-SuaUC3.js", kind: "text/javascript; charset=utf-8", digest: "77277d3ef8c5b722", bytes: include_bytes!("assets/method-C-SuaUC3.js") },
    File { path: "assets/stage-chart-Cd7eZm3-.js", kind: "text/javascript; charset=utf-8", digest: "ab5dc0c2302e84ba", bytes: include_bytes!("assets/stage-chart-Cd7eZm3-.js") },
    File { path: "assets/stage-chart-DIOoo5MB.css", kind: "text/css; charset=utf-8", digest: "f53b077f238cc578", bytes: include_bytes!("assets/stage-chart-DIOoo5MB.css") },
    File { path: "assets/where-4jInlB5H.js", kind: "text/javascript; charset=utf-8", digest: "4e7e49fcd5022d14", bytes: include_bytes!("assets/where-4jInlB5H.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "7f7d464df653692f", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "89cead5ce8ef9a9a", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
