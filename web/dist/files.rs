// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-BUoamO-9.js", kind: "text/javascript; charset=utf-8", digest: "6529196fe8155ce6", bytes: include_bytes!("assets/controls-BUoamO-9.js") },
    File { path: "assets/embed-B7jjAJNp.js", kind: "text/javascript; charset=utf-8", digest: "b250f4c2dd0d2a25", bytes: include_bytes!("assets/embed-B7jjAJNp.js") },
    File { path: "assets/main-VQk8HFg7.js", kind: "text/javascript; charset=utf-8", digest: "ef85c3dc646744e6", bytes: include_bytes!("assets/main-VQk8HFg7.js") },
    File { path: "assets/method-FMSbiC5N.js", kind: "text/javascript; charset=utf-8", digest: "3ad96fae1f2f889d", bytes: include_bytes!("assets/method-FMSbiC5N.js") },
    File { path: "assets/stage-chart-BXDPFY1m.js", kind: "text/javascript; charset=utf-8", digest: "cf6d40eff0ec5a13", bytes: include_bytes!("assets/stage-chart-BXDPFY1m.js") },
    File { path: "assets/stage-chart-CgmU8u7Q.css", kind: "text/css; charset=utf-8", digest: "1358cc90dbab7fce", bytes: include_bytes!("assets/stage-chart-CgmU8u7Q.css") },
    File { path: "assets/where-DBAah7NF.js", kind: "text/javascript; charset=utf-8", digest: "e42c3c4863ec9f6b", bytes: include_bytes!("assets/where-DBAah7NF.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "d6238468cf688f73", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "985fa85ee9db43fe", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
