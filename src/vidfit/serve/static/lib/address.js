// What a page shows is kept in the query of its address, so that it can be sent to others.
import { useCallback, useEffect, useState } from "./ui.js";

export function asked(name, otherwise = "") {
  return new URLSearchParams(location.search).get(name) ?? otherwise;
}

// Returns the address of a page with what is given; empty values are left out.
export function addressOf(path, values = {}) {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== "" && value !== null && value !== undefined && value !== false) {
      query.set(name, value === true ? "1" : value);
    }
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

// Returns the query as an object, and what changes some of it in place ("" takes one out).
export function useAddress() {
  const read = () => Object.fromEntries(new URLSearchParams(location.search));
  const [values, setValues] = useState(read);
  useEffect(() => {
    const onPop = () => setValues(read());
    addEventListener("popstate", onPop);
    return () => removeEventListener("popstate", onPop);
  }, []);
  const change = useCallback((some) => {
    const next = addressOf(location.pathname, { ...read(), ...some });
    history.replaceState(null, "", next);
    setValues(read());
  }, []);
  return [values, change];
}
