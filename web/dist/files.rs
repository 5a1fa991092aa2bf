// Written by web/scripts/table.ts.
&[
    File { path: "assets/embed-JOJ_xa05.js", kind: "text/javascript; charset=utf-8", digest: "dfee01772846f44e", bytes: include_bytes!("assets/embed-JOJ_xa05.js") },
    File { path: "assets/main-C_Up_aFw.js", kind: "text/javascript; charset=utf-8", digest: "70a66c809cf66ef5", bytes: include_bytes!("assets/main-C_Up_aFw.js") },
    File { path: "assets/stage-chart-BH9WCpsc.css", kind: "text/css; charset=utf-8", digest: "851c7e291a288b6a", bytes: include_bytes!("assets/stage-chart-BH9WCpsc.css") },
    File { path: "assets/stage-chart-D5wmuxpu.js", kind: "text/javascript; charset=utf-8", digest: "3454c1eb41da730b", bytes: include_bytes!("assets/stage-chart-D5wmuxpu.js") },
    File { path: "assets/where-CzmapGU9.js", kind: "text/javascript; charset=utf-8", digest: "5ecbddb3243aa31d", bytes: include_bytes!("assets/where-CzmapGU9.js") },
    File { path: "embed/index.html", kind: "text/html; charset=utf-8", digest: "6c8c25cfc12b8815", bytes: include_bytes!("embed/index.html") },
    File { path: "favicon.svg", kind: "image/svg+xml", digest: "ca84e0c73ff8fd15", bytes: include_bytes!("favicon.svg") },
    File { path: "index.html", kind: "text/html; charset=utf-8", digest: "c5c452303207925a", bytes: include_bytes!("index.html") },
]
