// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-Cc3BBr59.js", kind: "text/javascript; charset=utf-8", digest: "f8ddb301249bf2fd", bytes: include_bytes!("assets/embed-Cc3BBr59.js") },
    File { path: "assets/main-ChAd0asQ.js", kind: "text/javascript; charset=utf-8", digest: "bfa6091123ce4f1f", bytes: include_bytes!("assets/main-ChAd0asQ.js") },
    File { path: "assets/stage-chart-CpHGC6rt.css", kind: "text/css; charset=utf-8", digest: "fc4d589beaac31e9", bytes: include_bytes!("assets/stage-chart-CpHGC6rt.css") },
    File { path: "assets/stage-chart-CpYMF008.js", kind: "text/javascript; charset=utf-8", digest: "2127005affb28d39", bytes: include_bytes!("assets/stage-chart-CpYMF008.js") },
    File { path: "assets/where-DMsBw8Ys.js", kind: "text/javascript; charset=utf-8", digest: "2fc64311b789568d", bytes: include_bytes!("assets/where-DMsBw8Ys.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "863a27a31c0aa891", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "9ca086ddb227ebf1", bytes: include_bytes!("index.html") },
]
