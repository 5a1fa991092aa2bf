// Written by web/scripts/table.ts.
&[
    File { path: "assets/controls-Dk5d1PeS.js", kind: "text/javascript; charset=utf-8", digest: "eda25239541be02a", bytes: include_bytes!("assets/controls-Dk5d1PeS.js") },
    File { path: "assets/embed-BaK3EHSB.js", kind: "text/javascript; charset=utf-8", digest: "30c5659cc143b56a", bytes: include_bytes!("assets/embed-BaK3EHSB.js") },
    File { path: "assets/main-nSMxl5T7.js", kind: "text/javascript; charset=utf-8", digest: "e117c8a22abcaf83", bytes: include_bytes!("assets/main-nSMxl5T7.js") },
    File { path: "assets/method-Boybv3AZ.js", kind: "text/javascript; charset=utf-8", digest: "72c33d10fa917baf", bytes: include_bytes!("assets/method-Boybv3AZ.js") },
    File { path: "assets/stage-chart-B7rRFtch.js", kind: "text/javascript; charset=utf-8", digest: "8bc31f2954f67873", bytes: include_bytes!("assets/stage-chart-B7rRFtch.js") },
    File { path: "assets/stage-chart-DKgd_irm.css", kind: "text/css; charset=utf-8", digest: "a29755a187a0c625", bytes: include_bytes!("assets/stage-chart-DKgd_irm.css") },
    File { path: "assets/where-BwOf4Ofr.js", kind: "text/javascript; charset=utf-8", digest: "795af9d8631cbe50", bytes: include_bytes!("assets/where-BwOf4Ofr.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "27f39506e95e9601", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "e3b047809e134275", bytes: include_bytes!("index.html") },
    File { path: "licences.txt", kind: "text/plain; charset=utf-8", digest: "d3b1a0a84380e2db", bytes: include_bytes!("licences.txt") },
]
