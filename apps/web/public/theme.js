// Before anything is painted: the colours that this person chose on this device, so that nobody is blinded at night.
// A file and not a line in index.html, because the content security policy runs no inline script.
try {
  var chosen = localStorage.getItem('wardline.theme')
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen
} catch {
  // Storage is refused: the system's colours hold.
}
