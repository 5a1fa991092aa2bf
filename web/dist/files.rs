// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-C82VP68l.js", kind: "text/javascript; charset=utf-8", digest: "a80d72776e7e18f6", bytes: include_bytes!("assets/dom-C82VP68l.js") },
    File { path: "assets/embed-B4sbjaHC.js", kind: "text/javascript; charset=utf-8", digest: "50975c6a257ea3cf", bytes: include_bytes!("assets/embed-B4sbjaHC.js") },
    File { path: "assets/main-CTdoYPgA.js", kind: "text/javascript; charset=utf-8", digest: "d62b355a795208bf", bytes: include_bytes!("assets/main-CTdoYPgA.js") },
    File { path: "assets/method-kxN3xNJA.js", kind: "text/javascript; charset=utf-8", digest: "6d0f2f822e1fc9d0", bytes: include_bytes!("assets/method-kxN3xNJA.js") },
    File { path: "assets/stage-chart-SHqjP3J9.css", kind: "text/css; charset=utf-8", digest: "da0419c95f1327db", bytes: include_bytes!("assets/stage-chart-SHqjP3J9.css") },
    File { path: "assets/stage-chart-dycczPV2.js", kind: "text/javascript; charset=utf-8", digest: "742d6551077d7cd7", bytes: include_bytes!("assets/stage-chart-dycczPV2.js") },
    File { path: "assets/where-DqrNL5V8.js", kind: "text/javascript; charset=utf-8", digest: "f236ff2b820d670b", bytes: include_bytes!("assets/where-DqrNL5V8.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "e7b46adb40b3f8a3", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "a4b6ee560a39ce9f", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
