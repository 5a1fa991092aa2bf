// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-B8rMdSNw.js", kind: "text/javascript; charset=utf-8", digest: "79fbd3680c3a78fb", bytes: include_bytes!("assets/dom-B8rMdSNw.js") },
    File { path: "assets/embed-Bh9u6IwC.js", kind: "text/javascript; charset=utf-8", digest: "b0cd2439c0d4cf8c", bytes: include_bytes!("assets/embed-Bh9u6IwC.js") },
    File { path: "assets/main-CAWqf1f6.js", kind: "text/javascript; charset=utf-8", digest: "42edced6ebd5fb37", bytes: include_bytes!("assets/main-CAWqf1f6.js") },
    File { path: "assets/method-CtMYBJh5.js", kind: "text/javascript; charset=utf-8", digest: "f76a61fae392e053", bytes: include_bytes!("assets/method-CtMYBJh5.js") },
    File { path: "assets/stage-chart-Bivyghh4.js", kind: "text/javascript; charset=utf-8", digest: "e9a264978bf39d9d", bytes: include_bytes!("assets/stage-chart-Bivyghh4.js") },
    File { path: "assets/stage-chart-CXbhXBnM.css", kind: "text/css; charset=utf-8", digest: "783376ff10a9adbb", bytes: include_bytes!("assets/stage-chart-CXbhXBnM.css") },
    File { path: "assets/where-C9Oogjhl.js", kind: "text/javascript; charset=utf-8", digest: "66b28716839a5c8d", bytes: include_bytes!("assets/where-C9Oogjhl.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "f2bbec4f445d53b3", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "06bea545128f0db8", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
