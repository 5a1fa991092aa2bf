// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-wYytmw0l.js", kind: "text/javascript; charset=utf-8", digest: "368091bb5935570d", bytes: include_bytes!("assets/dom-wYytmw0l.js") },
    File { path: "assets/embed-C4p8a1jK.js", kind: "text/javascript; charset=utf-8", digest: "c047372a063f3522", bytes: include_bytes!("assets/embed-C4p8a1jK.js") },
    File { path: "assets/main-yvNBpzrJ.js", kind: "text/javascript; charset=utf-8", digest: "f3fa07ea575f9454", bytes: include_bytes!("assets/main-yvNBpzrJ.js") },
    File { path: "assets/method-DtHj6MP4.js", kind: "text/javascript; charset=utf-8", digest: "5171791e02d9cff0", bytes: include_bytes!("assets/method-DtHj6MP4.js") },
    File { path: "assets/stage-chart-BUT9WsQY.js", kind: "text/javascript; charset=utf-8", digest: "9922375ff7cc073d", bytes: include_bytes!("assets/stage-chart-BUT9WsQY.js") },
    File { path: "assets/stage-chart-DIOoo5MB.css", kind: "text/css; charset=utf-8", digest: "f53b077f238cc578", bytes: include_bytes!("assets/stage-chart-DIOoo5MB.css") },
    File { path: "assets/where-Wl6Em9hB.js", kind: "text/javascript; charset=utf-8", digest: "1d340654daa01795", bytes: include_bytes!("assets/where-Wl6Em9hB.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "70045d20ce23cffc", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "599c5fb7e66475cd", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
