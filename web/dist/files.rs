// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-B3b1nF2a.js", kind: "text/javascript; charset=utf-8", digest: "9465fddd5c1dce22", bytes: include_bytes!("assets/embed-B3b1nF2a.js") },
    File { path: "assets/main-WfGyvrLL.js", kind: "text/javascript; charset=utf-8", digest: "20b66fbfdb151255", bytes: include_bytes!("assets/main-WfGyvrLL.js") },
    File { path: "assets/stage-chart-B3qwx7NI.css", kind: "text/css; charset=utf-8", digest: "ff23fe7677e58824", bytes: include_bytes!("assets/stage-chart-B3qwx7NI.css") },
    File { path: "assets/stage-chart-CY5VR93-.js", kind: "text/javascript; charset=utf-8", digest: "1292d9182fbce993", bytes: include_bytes!("assets/stage-chart-CY5VR93-.js") },
    File { path: "assets/where-BA6pjXAA.js", kind: "text/javascript; charset=utf-8", digest: "1d37a9c5d964da32", bytes: include_bytes!("assets/where-BA6pjXAA.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "e008fe676ea251ea", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "53b445743974de66", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "61d5d4a2ed09653b", bytes: include_bytes!("licences.txt") },
]
