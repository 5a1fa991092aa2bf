// Answers the API's routes from the made-up world while developing: `npm run dev`.
import type { Connect, Plugin } from "vite";
import { answer } from "./routes.ts";

const handler: Connect.NextHandleFunction = (request, response, next) => {
  const url = new URL(request.url ?? "/", "http://mock");
  if (/^\/embed\/\w+$/.test(url.pathname)) request.url = `/embed/index.html${url.search}`;
  if (!url.pathname.startsWith("/client/v4/")) return next();
  const { status, body } = answer(url);
  response.statusCode = status;
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify(body));
};

export function mockApi(): Plugin {
  return {
    name: "mock-api",
    configureServer: (server) => void server.middlewares.use(handler),
    configurePreviewServer: (server) => void server.middlewares.use(handler),
  };
}
