// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B-k4bzmR.js", kind: "text/javascript; charset=utf-8", digest: "69a6a9469651ff11", bytes: include_bytes!("assets/dom-B-k4bzmR.js") },
    File { path: "assets/embed-C07Is9z8.js", kind: "text/javascript; charset=utf-8", digest: "004964d51cb20c57", bytes: include_bytes!("assets/embed-C07Is9z8.js") },
    File { path: "assets/main-Bho9j9hN.js", kind: "text/javascript; charset=utf-8", digest: "4f20668abf9cc1f4", bytes: include_bytes!("assets/main-Bho9j9hN.js") },
    File { path: "assets/method-B1-O8P7f.js", kind: "text/javascript; charset=utf-8", digest: "3ccf4ee155ca978e", bytes: include_bytes!("assets/method-B1-O8P7f.js") },
    File { path: "assets/stage-chart-DHAat4jE.js", kind: "text/javascript; charset=utf-8", digest: "42289e41373fd758", bytes: include_bytes!("assets/stage-chart-DHAat4jE.js") },
    File { path: "assets/stage-chart-SHqjP3J9.css", kind: "text/css; charset=utf-8", digest: "da0419c95f1327db", bytes: include_bytes!("assets/stage-chart-SHqjP3J9.css") },
    File { path: "assets/where-DN-x2UIE.js", kind: "text/javascript; charset=utf-8", digest: "fbd4fd9af6f9df32", bytes: include_bytes!("assets/where-DN-x2UIE.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "7d7ee659f3cd2ec9", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "4766e5228657af9e", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
