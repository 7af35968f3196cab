/** The application's own page, with the page of webhooks in it. The README shows it as a component of React. */
export const FRONT_END = `<!doctype html>
<html lang="en">
  <title>Invoices</title>
  <h1>Invoices</h1>
  <p><a href="/sign-in/acme">Acme</a> <a href="/sign-in/globex">Globex</a></p>
  <thorn-portal path="/endpoints"></thorn-portal>
  <script type="module" src="/webhooks/element.js"></script>
</html>
`;
