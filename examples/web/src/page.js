// The page. A save of this file restarts the server; one in public/ does not.
export const page = () => `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>devloop example</title>
    <link rel="stylesheet" href="/style.css">
  </head>
  <body>
    <main>
      <h1 id="greeting">…</h1>
      <p>Change <code>api/src/greeting.js</code> or <code>web/public/style.css</code>, save, and watch.</p>
      <footer id="from"></footer>
    </main>
    <script type="module" src="/app.js"></script>
  </body>
</html>
`
