// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-W3rEjpUP.js", kind: "text/javascript; charset=utf-8", digest: "6798da54bb8c51c2", bytes: include_bytes!("assets/controls-W3rEjpUP.js") },
    File { path: "assets/embed-CR66MH9P.js", kind: "text/javascript; charset=utf-8", digest: "a632e6690537f7d4", bytes: include_bytes!("assets/embed-CR66MH9P.js") },
    File { path: "assets/main-5w8fhB_8.js", kind: "text/javascript; charset=utf-8", digest: "17add6eb8946c76d", bytes: include_bytes!("assets/main-5w8fhB_8.js") },
    File { path: "assets/method-ChaBzjDa.js", kind: "text/javascript; charset=utf-8", digest: "04159a4be358f284", bytes: include_bytes!("assets/method-ChaBzjDa.js") },
    File { path: "assets/stage-chart-BS9F5iqg.js", kind: "text/javascript; charset=utf-8", digest: "3134bbc717feb3a9", bytes: include_bytes!("assets/stage-chart-BS9F5iqg.js") },
    File { path: "assets/stage-chart-Bu1CnH84.css", kind: "text/css; charset=utf-8", digest: "b4636bc16ea9765c", bytes: include_bytes!("assets/stage-chart-Bu1CnH84.css") },
    File { path: "assets/where-BQmCAUch.js", kind: "text/javascript; charset=utf-8", digest: "475f2327670873e9", bytes: include_bytes!("assets/where-BQmCAUch.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "2d5409b9f49e8339", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "fad88306cf767b72", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
