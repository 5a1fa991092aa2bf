// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-BEosUWZq.js", kind: "text/javascript; charset=utf-8", digest: "4cb90b8c58b6a6af", bytes: include_bytes!("assets/dom-BEosUWZq.js") },
    File { path: "assets/embed-DdqDuVhA.js", kind: "text/javascript; charset=utf-8", digest: "a06a69b9af2e0861", bytes: include_bytes!("assets/embed-DdqDuVhA.js") },
    File { path: "assets/main-CWCOHqjU.js", kind: "text/javascript; charset=utf-8", digest: "17e29006052eb78e", bytes: include_bytes!("assets/main-CWCOHqjU.js") },
    File { path: "assets/method-DKjEJCAQ.js", kind: "text/javascript; charset=utf-8", digest: "a78511a76ddb17df", bytes: include_bytes!("assets/method-DKjEJCAQ.js") },
    File { path: "assets/stage-chart-CglQ0d0Y.js", kind: "text/javascript; charset=utf-8", digest: "d82ff7558e06ca11", bytes: include_bytes!("assets/stage-chart-CglQ0d0Y.js") },
    File { path: "assets/stage-chart-Co4AAXPd.css", kind: "text/css; charset=utf-8", digest: "2eb36e678bc982d5", bytes: include_bytes!("assets/stage-chart-Co4AAXPd.css") },
    File { path: "assets/where-DALQv8gO.js", kind: "text/javascript; charset=utf-8", digest: "5bb276dfdfbc73d2", bytes: include_bytes!("assets/where-DALQv8gO.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "b55055df3ece10d7", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "1789fa29ec03da9e", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
