// Topics of a clinic, an optician and a tailor, in Spanish, German and French. Every name is invented.
import type { Topic } from './topic.js';

const clinic: Topic = {
  key: 'clinic_appointment',
  subject: 'su cita médica',
  outbound: 0.3,
  opening: [
    'A: Clínica Sierra Clara, soy Inés, la asistente virtual. ¿En qué le ayudo?',
    'U: Hola, soy {name}, necesito cambiar mi cita.',
  ],
  exchanges: [
    [
      { tool: 'buscar_cita', arguments: { paciente: '{name}' }, result: { cita: '{reference}', dia: '{date}' } },
      'A: Veo su cita del {date} a las nueve. ¿La anulamos o la movemos?',
      'U: Moverla, por favor, por la tarde.',
    ],
    ['A: ¿Es para revisión o por alguna molestia?', 'U: Revisión, nada urgente.'],
    [
      { tool: 'mover_cita', arguments: { cita: '{reference}', hora: '17:15' }, result: { ok: true } },
      'A: Queda a las cinco y cuarto.',
      'U: Perfecto.',
    ],
    ['U: ¿Tengo que venir en ayunas?', 'A: No hace falta, solo traiga el informe anterior.'],
  ],
  department: 'recepción',
  matter: 'an appointment at the clinic',
  summary: '{first} moved the appointment of {date} to the afternoon.',
};

const optician: Topic = {
  key: 'glasses_ready',
  subject: 'Ihre neue Brille',
  outbound: 0.55,
  opening: [
    'A: Lindenblatt Optik, hier spricht der automatische Assistent. Was kann ich für Sie tun?',
    'U: {name}, guten Tag. Ist meine Brille schon da?',
  ],
  exchanges: [
    [
      { tool: 'auftrag_suchen', arguments: { kunde: '{name}' }, result: { auftrag: '{reference}', status: 'fertig' } },
      'A: Ja, Auftrag {reference} ist fertig.',
      'U: Wunderbar, wann kann ich sie abholen?',
    ],
    ['A: Wir haben am {date} bis achtzehn Uhr offen.', 'U: Dann komme ich gegen fünf.'],
    ['U: Was bleibt noch zu zahlen?', 'A: Es sind noch {amount} Euro offen.'],
    ['U: Passt ihr die Bügel gleich an?', 'A: Natürlich, das dauert nur ein paar Minuten.'],
  ],
  department: 'werkstatt',
  matter: 'new glasses',
  summary: '{first} will collect the glasses of order {reference} on {date}.',
};

const tailor: Topic = {
  key: 'alteration',
  subject: 'votre retouche',
  outbound: 0,
  opening: [
    'A: Bonjour, ici Camille, l’assistante de l’Atelier Marceau. Comment puis-je vous aider ?',
    'U: bonjour, ma veste est prête ? je suis {name}',
  ],
  exchanges: [
    [
      { tool: 'suivi_retouche', arguments: { nom: '{name}' }, result: { ticket: '{reference}', pret: '{date}' } },
      'A: Elle sera prête le {date}, ticket {reference}.',
      'U: super merci',
    ],
    ['U: vous pouvez aussi raccourcir un pantalon ?', 'A: Oui, comptez {amount} euros et trois jours.'],
    ['U: vous fermez à quelle heure ?', 'A: À dix-neuf heures, sauf le lundi.'],
  ],
  department: 'atelier',
  matter: 'a jacket that is being altered',
  summary: '{first} asked when the jacket of ticket {reference} will be ready.',
};

/** Conversations with smaller businesses. */
export const CARE_TOPICS: readonly Topic[] = [clinic, optician, tailor];
