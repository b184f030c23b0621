"use strict";
// Everything that the page says, in French and in English. The browser's language chooses.
const tocsinWords = (() => {
  const en = {
    skip: "Skip to content", problems: "What is wrong", running: "Running", recent: "Recent events", event: "Event",
    stateWord: "State", accepted: "Accepted", when: "When", noneRunning: "No event is running.",
    noneRecent: "No event has ended yet.", noEvent: "No event yet", outcomes: "Outcomes",
    whatWentWrong: "What went wrong", where: "Where", asTable: "Departments as a table", departments: "Departments",
    department: "Department", inhabitants: "Inhabitants", reach: "Reach", communes: "Communes", commune: "Commune",
    confirmed: "Confirmed by phones", curve: "Accepted over time", lanes: "Lanes", lane: "App and platform",
    waiting: "Waiting", inFlight: "In flight", connections: "Connections", limitedBy: "Limited by",
    noLanes: "Nothing has been sent since this engine started.", streams: "Streams", letters: "Dead letters",
    footer: "This page asks this engine only; nothing comes from elsewhere.",
    credit: "Department outlines: Victor Cazanave, svg-maps, CC BY 4.0.",
    ready: "Ready", notReady: "Not ready", lost: "The engine does not answer",
    lostLong: "The engine does not answer. The figures below are the last it gave, {0} ago.",
    connecting: "Connecting…", engines: { one: "{0} engine", other: "{0} engines" },
    scheduled: { one: "{0} event is scheduled for later", other: "{0} events are scheduled for later" },
    shown: "{0} of {1} shown", rate: "{0} per second", left: "{0} left", stands: "nothing moves now", deferred: "quiet hours, until {0}",
    deferredUntil: "Quiet hours, until {0}", territories: { one: "{0} territory", other: "{0} territories" },
    targeted: "Targeted", targetedSoFar: "Targeted so far", p90: "90 % accepted within", duplicates: "Possible duplicates", retries: "Retries",
    retryWaiting: "Waiting for a retry", displayed: "Displayed", opened: "Opened", received: "Received",
    lag: "Not read yet", pending: "Being handled", events: "Events", registrations: "Registrations",
    receipts: "Receipts", lettersTotal: { one: "{0} in all", other: "{0} in all" }, noLetters: "No entry was refused.",
    letterFrom: "entry {0} of {1}", held: "Held by an operator: {0}", share: "Accepted devices per inhabitant",
    notFor: "not addressed", atLeast: "{0} and more", upTo: "under {0}", none: "nobody yet",
    overseas: "Overseas", firstCommunes: "The first {0} of {1} communes. All of them: tocsin report {2}",
    mapSays: "Map of France: {0} departments addressed, {1} devices accepted. The table below says the same.",
    curveSays: "Curve of acceptance: {0} devices after {1}.", barSays: "Outcomes: {0}.",
    now: "At this moment", perSecond: "Accepted per second", inLine: "In line", unread: "Events not read yet", took: "Took",
    quota: "Quota", aSecond: "{0}/s", named: "{0}:", everyone: "everyone", stream: "Stream", heldUp: "What took the time", curvePoint: "{1} accepted after {0}",
    seconds: "seconds after the event was read", devices: "devices", selectors: "audience: {0}", more: " and {0} more",
    states: { running: "running", cancelling: "being cancelled", scheduled: "scheduled", finished: "finished",
      cancelled: "cancelled", expired: "expired", failed: "failed", paused: "paused" },
    outcome: { accepted: "accepted", dead: "uninstalled (removed)", rejected: "refused", expired: "too late",
      cancelled: "cancelled", muted: "muted by the resident", failed: "given up" },
    bound: { idle: "nothing to send", engine: "this machine", rate: "the configured rate", quota: "the provider's quota",
      credential: "a credential that the provider refuses", operator: "an operator's pause", streams: "the provider's streams",
      redis: "Redis (pages are being read)", answers: "the provider's answers", provider: "errors of the provider" },
    priority: { critical: "critical", high: "high", normal: "normal", low: "low" }, dryRun: "dry run",
  };
  const fr = {
    skip: "Aller au contenu", problems: "Ce qui ne va pas", running: "En cours", recent: "Événements récents", event: "Événement",
    stateWord: "État", accepted: "Acceptés", when: "Quand", noneRunning: "Aucun événement en cours.",
    noneRecent: "Aucun événement n’est encore terminé.", noEvent: "Aucun événement", outcomes: "Issues",
    whatWentWrong: "Ce qui n’a pas marché", where: "Où", asTable: "Les départements en tableau", departments: "Départements",
    department: "Département", inhabitants: "Habitants", reach: "Part touchée", communes: "Communes", commune: "Commune",
    confirmed: "Confirmé par les téléphones", curve: "Acceptations dans le temps", lanes: "Files d’envoi", lane: "Application et plateforme",
    waiting: "En attente", inFlight: "En vol", connections: "Connexions", limitedBy: "Limitée par",
    noLanes: "Rien n’a été envoyé depuis le démarrage de ce moteur.", streams: "Flux", letters: "Lettres mortes",
    footer: "Cette page n’interroge que ce moteur ; rien ne vient d’ailleurs.",
    credit: "Contours des départements : Victor Cazanave, svg-maps, CC BY 4.0.",
    ready: "Prêt", notReady: "Pas prêt", lost: "Le moteur ne répond pas",
    lostLong: "Le moteur ne répond pas. Les chiffres ci-dessous sont les derniers reçus, il y a {0}.",
    connecting: "Connexion…", engines: { one: "{0} moteur", other: "{0} moteurs" },
    scheduled: { one: "{0} événement est prévu plus tard", other: "{0} événements sont prévus plus tard" },
    shown: "{0} affichés sur {1}", rate: "{0} par seconde", left: "encore {0}", stands: "rien n’avance en ce moment", deferred: "heures calmes, jusqu’à {0}",
    deferredUntil: "Heures calmes, jusqu’à {0}", territories: { one: "{0} territoire", other: "{0} territoires" },
    targeted: "Ciblés", targetedSoFar: "Ciblés jusqu’ici", p90: "90 % acceptés en", duplicates: "Doublons possibles", retries: "Nouveaux essais",
    retryWaiting: "Attendent un nouvel essai", displayed: "Affichés", opened: "Ouverts", received: "Reçus",
    lag: "Pas encore lus", pending: "En traitement", events: "Événements", registrations: "Inscriptions",
    receipts: "Accusés", lettersTotal: { one: "{0} en tout", other: "{0} en tout" }, noLetters: "Aucune entrée n’a été refusée.",
    letterFrom: "entrée {0} de {1}", held: "Suspendu par un opérateur : {0}", share: "Appareils ayant accepté, par habitant",
    notFor: "non concerné", atLeast: "{0} et plus", upTo: "moins de {0}", none: "personne encore",
    overseas: "Outre-mer", firstCommunes: "Les {0} premières communes sur {1}. Toutes : tocsin report {2}",
    mapSays: "Carte de France : {0} départements concernés, {1} appareils ont accepté. Le tableau ci-dessous dit la même chose.",
    curveSays: "Courbe d’acceptation : {0} appareils après {1}.", barSays: "Issues : {0}.",
    now: "En ce moment", perSecond: "Acceptés par seconde", inLine: "En file", unread: "Événements pas encore lus", took: "Durée",
    quota: "Quota", aSecond: "{0}/s", named: "{0} :", everyone: "tout le monde", stream: "Flux", heldUp: "Ce qui a pris le temps", curvePoint: "{1} acceptés après {0}",
    seconds: "secondes après la lecture de l’événement", devices: "appareils", selectors: "audience : {0}", more: " et {0} autres",
    states: { running: "en cours", cancelling: "en annulation", scheduled: "prévu", finished: "terminé",
      cancelled: "annulé", expired: "expiré", failed: "échoué", paused: "suspendu" },
    outcome: { accepted: "acceptés", dead: "désinstallés (retirés)", rejected: "refusés", expired: "trop tard",
      cancelled: "annulés", muted: "coupés par l’habitant", failed: "abandonnés" },
    bound: { idle: "rien à envoyer", engine: "cette machine", rate: "le débit configuré", quota: "le quota du fournisseur",
      credential: "un identifiant que le fournisseur refuse", operator: "la pause d’un opérateur", streams: "les flux du fournisseur",
      redis: "Redis (lecture des pages)", answers: "les réponses du fournisseur", provider: "des erreurs du fournisseur" },
    priority: { critical: "critique", high: "haute", normal: "normale", low: "basse" }, dryRun: "à blanc",
  };
  const language = (navigator.languages || [navigator.language || "en"]).some((one, i) => i === 0 && /^fr\b/i.test(one)) ? "fr" : "en";
  const words = language === "fr" ? fr : en;
  words.reason = Object.create(null);  // A provider may call something "constructor".
  for (const [name, [inEnglish, inFrench]] of Object.entries(tocsinReasons)) words.reason[name] = language === "fr" ? inFrench : inEnglish;
  // Dates and numbers as the reader's own country writes them: en-GB is not en-US.
  const country = [navigator.language || ""].find((one) => one.toLowerCase().startsWith(language)) || language;
  const number = new Intl.NumberFormat(country);
  const share = new Intl.NumberFormat(country, { style: "percent", maximumFractionDigits: 1 });
  const smallShare = new Intl.NumberFormat(country, { style: "percent", maximumSignificantDigits: 2 });
  const clock = new Intl.DateTimeFormat(country, { timeStyle: "medium" });
  const date = new Intl.DateTimeFormat(country, { dateStyle: "short", timeStyle: "short" });
  const plural = new Intl.PluralRules(language);
  const fill = (text, values) => text.replace(/\{(\d)\}/g, (_, i) => values[Number(i)]);
  return {
    language,
    /** A word or a sentence with {0}, {1} … filled in. */
    say: (name, ...values) => fill(words[name], values),
    /** The same by number; the number itself is {0}. */
    count: (name, n) => fill(words[name][plural.select(n)] || words[name].other, [number.format(n)]),
    /** A term of a closed list; what is not on it is shown as it is. */
    term: (list, name) => words[list][name] || name,
    /** A reason of a result: of one provider, of all of them, or Apple's word that Firebase has passed on. */
    reason: (name) => {
      const word = name.slice(name.indexOf(":") + 1);
      return words.reason[name] || words.reason[word] || words.reason[`apns:${word}`] || name;
    },
    /** What one language has and the other has not. */
    untranslated: () => {
      const keys = (list) => Object.entries(list).flatMap(([name, one]) => typeof one === "object" ? keys(one).map((sub) => `${name}.${sub}`) : [name]);
      const [here, there] = [keys({ ...en, reason: {} }), keys({ ...fr, reason: {} })];
      return [...here.filter((name) => !there.includes(name)), ...there.filter((name) => !here.includes(name))];
    },
    number: (n) => number.format(n),
    percent: (part) => (part < 0.01 ? smallShare : share).format(part),
    /** Of today by the clock, of other days with the date. */
    time: (ms) => (new Date(ms).toDateString() === new Date().toDateString() ? clock : date).format(ms),
    span: (seconds) => {
      if (seconds < 1) return `${number.format(Math.round(seconds * 1000))} ms`;
      if (seconds < 90) return `${number.format(Math.round(seconds * 10) / 10)} s`;
      if (seconds < 5400) return `${number.format(Math.round(seconds / 60))} min`;
      return `${number.format(Math.round(seconds / 360) / 10)} h`;
    },
  };
})();
