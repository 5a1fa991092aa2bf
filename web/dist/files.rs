// Written by web/scripts/table.ts.
&[
    File { path: "assets/dom-DZ0U74RM.js", kind: "text/javascript; charset=utf-8", digest: "69125b0f0022550f", bytes: include_bytes!("assets/dom-DZ0U74RM.js") },
    File { path: "assets/embed-C4lQEkCv.js", kind: "text/javascript; charset=utf-8", digest: "c9267c4bbf760b0d", bytes: include_bytes!("assets/embed-C4lQEkCv.js") },
    File { path: "assets/main-CfitN4WI.js", kind: "text/javascript; charset=utf-8", digest: "edca774dc17dd4bd", bytes: include_bytes!("assets/main-CfitN4WI.js") },
    File { path: "assets/method-BKTGTjIO.js", kind: "text/javascript; charset=utf-8", digest: "b94f043961e41c13", bytes: include_bytes!("assets/method-BKTGTjIO.js") },
    File { path: "assets/stage-chart-CN0AJisk.js", kind: "text/javascript; charset=utf-8", digest: "6b4aec05a17a098f", bytes: include_bytes!("assets/stage-chart-CN0AJisk.js") },
    File { path: "assets/stage-chart-CXbhXBnM.css", kind: "text/css; charset=utf-8", digest: "783376ff10a9adbb", bytes: include_bytes!("assets/stage-chart-CXbhXBnM.css") },
    File { path: "assets/where-F-DQAoC3.js", kind: "text/javascript; charset=utf-8", digest: "a41cc44dbaf9d770", bytes: include_bytes!("assets/where-F-DQAoC3.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "00e4b5c9a7975d2d", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "5c553c48b1ef3c3b", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
