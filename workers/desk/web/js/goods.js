// What of an order's goods an after-sales case is about.

// about are the items that were chosen, or all where none was, as an application names them: by their categories the policy decides.
export function about(items, chosen) {
  const some = items.filter((_, i) => chosen[i]);
  // The API takes no longer category, and no policy names one.
  return (some.length ? some : items).map(({ name, category, quantity }) => ({ name, category: category ? category.slice(0, 63) : undefined, quantity: quantity || undefined }));
}

// needsAmount says whether somebody has to say how much is wanted back: without it that is all that was paid, for the whole order.
export function needsAmount(kind, chosen) {
  return (kind === 'Return' || kind === 'RefundOnly') && chosen.includes(true) && chosen.includes(false);
}
