// Copyright The Kith Authors.
// SPDX-License-Identifier: Apache-2.0

package main

// phrase is a text in both languages: german, english. {room}, {device} and {n} are filled in.
type phrase [2]string

// problem is something that people ask about, with answers that fit it.
type problem struct {
	category int64
	tag      string
	title    phrase
	question phrase
	answers  []phrase
}

var handleFirst = []string{
	"copper", "moos", "river", "birken", "amber", "nebel", "quiet", "hafer", "north", "kiesel", "maple", "wolken",
	"garden", "eichen", "silver", "sommer", "cedar", "anker", "lantern", "distel",
}

var handleSecond = []string{
	"kettle", "fuchs", "walker", "werkstatt", "heron", "dachs", "fields", "muehle", "otter", "garten", "bridge", "specht",
	"harbour", "lampe", "finch", "ofen", "meadow", "igel", "stone", "falke",
}

var rooms = []phrase{
	{"Wohnzimmer", "living room"}, {"Bad", "bathroom"}, {"Keller", "basement"}, {"Dachgeschoss", "attic"},
	{"Kinderzimmer", "children's room"}, {"Flur", "hallway"}, {"Küchenbereich", "kitchen"}, {"Büro", "office"},
}

var devices = []phrase{
	{"Regler T2", "T2 controller"}, {"Regler T4", "T4 controller"}, {"Raumsensor", "room sensor"},
	{"Stellantrieb", "valve actuator"}, {"Funkempfänger", "radio receiver"}, {"Pumpenregler", "pump control"},
}

var problems = []problem{
	{categoryHeating, "funk", phrase{"{device} im {room} verliert die Verbindung", "{device} in the {room} drops its connection"},
		phrase{"Seit {n} Tagen verliert mein {device} im {room} jeden Abend die Verbindung. Woran kann das liegen?",
			"For {n} days my {device} in the {room} has lost its connection every evening. What could be the cause?"},
		[]phrase{
			{"Das liegt meist am Funkkanal. Stell ihn unter Netz von automatisch auf einen festen, bei mir ist es die 6.",
				"Usually it is the radio channel. Under Network, set it from automatic to a fixed one; mine is 6."},
			{"Wie weit ist es bis zum nächsten Gerät? Durch zwei Betondecken kommt das Signal nicht.",
				"How far is it to the next device? The signal does not get through two concrete ceilings."},
		}},
	{categoryHeating, "hydraulik", phrase{"{room} wird nicht warm", "{room} does not get warm"},
		phrase{"Der Heizkörper im {room} bleibt kalt, obwohl der {device} heizen meldet. Was kann ich prüfen?",
			"The radiator in the {room} stays cold although the {device} reports heating. What can I check?"},
		[]phrase{
			{"Prüfe zuerst, ob der Stift am Ventil klemmt: Antrieb abnehmen und den Stift ein paar Mal drücken.",
				"First check whether the pin of the valve is stuck: take off the actuator and press the pin a few times."},
			{"Das war bei mir ein fehlender Abgleich. Danach wurde der Raum in einer Stunde warm.",
				"In my house it was a lack of balancing. After that the room was warm within an hour."},
		}},
	{categoryHeating, "batterie", phrase{"Batterie im {device} hält nur {n} Tage", "Battery of the {device} lasts {n} days only"},
		phrase{"Die Batterie in meinem {device} hält nur {n} Tage. Ist das normal im {room}?",
			"The battery in my {device} lasts only {n} days. Is that normal in the {room}?"},
		[]phrase{
			{"Nein, ein Jahr sollte sie halten. Stell das Meldeintervall auf zehn Minuten, dann sinkt der Verbrauch stark.",
				"No, it should last a year. Set the reporting interval to ten minutes, that saves a lot."},
			{"Akkus mit 1,2 Volt mag das Gerät nicht, nimm normale Batterien.",
				"It does not like rechargeable cells with 1.2 volts, use ordinary batteries."},
		}},
	{categoryHeating, "fehlercode", phrase{"Meldung E{n} am {device}", "Message E{n} on the {device}"},
		phrase{"Der {device} im {room} zeigt seit heute E{n}. Was bedeutet das, und darf ich weiterheizen?",
			"The {device} in the {room} has shown E{n} since today. What does it mean, and may I go on heating?"},
		[]phrase{
			{"Das ist der Fühler: Er steckt nicht richtig. Stecker ziehen, reinigen, wieder einstecken, dann ist die Meldung weg.",
				"That is the probe: it is not plugged in properly. Unplug it, clean it, plug it in again, and the message goes."},
			{"Weiterheizen kannst du, es läuft dann nach Kennlinie. Ersatzfühler gibt es unter der Nummer auf dem Typenschild.",
				"You can go on heating, it then follows its curve. Spare probes are listed under the number on the type plate."},
		}},
	{categoryApp, "app", phrase{"App zeigt {room} doppelt", "The app shows the {room} twice"},
		phrase{"Nach dem Update steht {room} zweimal in der App, einmal davon ohne {device}. Wie werde ich den Eintrag los?",
			"Since the update the app lists the {room} twice, once without its {device}. How do I get rid of one?"},
		[]phrase{
			{"Lange auf den leeren Eintrag drücken, dann Archivieren. Löschen geht erst nach einem Neustart der App.",
				"Press the empty entry for a while, then Archive. Deleting works only after the app has been restarted."},
			{"Bei mir half abmelden und wieder anmelden, die Räume kommen dann neu vom Regler.",
				"Signing out and in helped me, the rooms then come afresh from the controller."},
		}},
	{categoryApp, "zeitplan", phrase{"Zeitplan im {room} wird ignoriert", "Schedule of the {room} is ignored"},
		phrase{"Der Zeitplan im {room} läuft seit {n} Tagen nicht mehr, der {device} bleibt auf Tagbetrieb. Wo stelle ich das ein?",
			"The schedule of the {room} has not run for {n} days, the {device} stays in day mode. Where do I set that?"},
		[]phrase{
			{"Schau unter Betriebsart: Wenn dort Partybetrieb steht, gilt kein Plan. Auf Automatik stellen.",
				"Look at the operating mode: in party mode no schedule applies. Set it to automatic."},
			{"Stimmt die Zeitzone? Nach der Zeitumstellung stand sie bei mir auf null.",
				"Is the time zone right? After the clocks changed, mine was at zero."},
		}},
	{categoryApp, "zugang", phrase{"Zweites Telefon nur fürs Heizen im {room}", "Add a second phone for the {room}"},
		phrase{"Wie melde ich ein zweites Telefon an, das nur im {room} etwas verstellen darf? Beim {device} finde ich nichts dazu.",
			"How do I add a second phone that may control the {room} only? I find nothing about it at the {device}."},
		[]phrase{
			{"Unter Haushalt, Einladen. Danach kannst du je Raum Rechte vergeben.",
				"Under Household, Invite. After that you can set rights for each room."},
			{"Der Gast braucht die App ab Version 5, vorher gab es keine Rechte je Raum.",
				"The guest needs version 5 of the app; before that there were no rights per room."},
		}},
	{categoryApp, "export", phrase{"Messwerte vom {device} sichern", "Saving the readings of the {device}"},
		phrase{"Kann ich die Werte vom {device} im {room} über {n} Tage als Tabelle bekommen?",
			"Can I get the readings of the {device} in the {room} over {n} days as a table?"},
		[]phrase{
			{"Ja: Verlauf öffnen, oben rechts Teilen, Tabelle wählen. Mehr als 90 Tage am Stück gehen nicht.",
				"Yes: open History, Share at the top right, choose Table. More than 90 days at once is not possible."},
			{"Für längere Zeiten hole ich sie jeden Monat einmal ab.", "For longer times I fetch them once a month."},
		}},
	{categoryHeating, "montage", phrase{"{device} im {room} nachrüsten", "Retrofitting a {device} in the {room}"},
		phrase{"Ich möchte im {room} einen {device} nachrüsten. Brauche ich dafür einen Adapter, oder passt das Gewinde?",
			"I would like to retrofit a {device} in the {room}. Do I need an adapter, or does the thread fit?"},
		[]phrase{
			{"Bei Ventilen ab 1990 passt es ohne. Bei älteren liegt der passende Ring im Beutel.",
				"With valves from 1990 on it fits without. For older ones the right ring is in the bag."},
			{"Miss den Durchmesser: 30 Millimeter passen direkt, 28 brauchen den Adapter.",
				"Measure the diameter: 30 millimetres fit directly, 28 need the adapter."},
		}},
	{categoryHeating, "pumpe", phrase{"Pumpe läuft im {room} die ganze Nacht", "Pump for the {room} runs all night"},
		phrase{"Die Pumpe im {room} läuft seit {n} Nächten durch. Kann der {device} das abstellen?",
			"The pump for the {room} has been running for {n} nights. Can the {device} stop that?"},
		[]phrase{
			{"Ja, mit der Nachlaufzeit: Sie steht ab Werk auf unbegrenzt. Fünf Minuten reichen.",
				"Yes, with the run-on time: it is unlimited by default. Five minutes are enough."},
			{"Ist der Frostschutz an? Unter vier Grad lässt er die Pumpe laufen, das ist Absicht.",
				"Is frost protection on? Below four degrees it keeps the pump running, on purpose."},
		}},
	{categoryHelp, "tarif", phrase{"Tarif für den {device} hinterlegen", "Entering a tariff for the {device}"},
		phrase{"Wo hinterlege ich beim {device} einen Tarif mit zwei Zeiten? Im {room} wird noch der alte gerechnet.",
			"Where do I enter a tariff with two times for the {device}? The {room} is still calculated with the old one."},
		[]phrase{
			{"Unter Energie, Tarife, dann den Zeitraum teilen. Die Vergangenheit wird nicht neu gerechnet.",
				"Under Energy, Tariffs, then split the period. The past is not calculated again."},
		}},
	{categoryHelp, "umzug", phrase{"Umzug: {device} mitnehmen", "Moving house with a {device}"},
		phrase{"Wir ziehen um. Wie setze ich den {device} aus dem {room} so zurück, dass ich ihn neu anlernen kann?",
			"We are moving house. How do I reset the {device} of the {room} so that I can pair it again?"},
		[]phrase{
			{"Taste zehn Sekunden halten, bis sie rot blinkt, erst dann aus der App entfernen.",
				"Hold the button for ten seconds until it blinks red, and only then remove it from the app."},
			{"Vorher die Zeitpläne sichern, die gehen dabei verloren.", "Save the schedules before, they get lost."},
		}},
}

var thanks = []phrase{
	{"Danke, das war es!", "Thank you, that was it!"},
	{"Vielen Dank, jetzt läuft alles wieder.", "Many thanks, everything works again."},
	{"Super, danke für die schnelle Hilfe.", "Great, thanks for the quick help."},
	{"Danke dir, darauf wäre ich nie gekommen.", "Thank you, I would never have thought of that."},
}

var followUps = []phrase{
	{"Ich habe es versucht, aber es hilft nur kurz.", "I tried, but it helps only for a while."},
	{"Welche Version steht bei dir in den Einstellungen?", "Which version do your settings show?"},
	{"Bei mir ist es genauso, ich lese mit.", "It is the same here, I am following this."},
	{"Kannst du ein Foto vom Anschluss zeigen?", "Can you show a photo of the connection?"},
	{"Das hat bei mir auch geholfen, guter Hinweis.", "That helped me as well, good advice."},
}

var ownSolutions = []phrase{
	{"Ich habe es selbst gefunden: Nach einem Neustart des Reglers war alles wieder da.",
		"I found it myself: after restarting the controller everything was back."},
	{"Gelöst, es war ein loses Kabel.", "Solved, it was a loose cable."},
}

var pointers = []phrase{
	{"Das hatten wir schon einmal gelöst, schau hier: {link}", "We have solved that before, look here: {link}"},
	{"Genau dafür gibt es eine Lösung: {link}", "There is a solution for just that: {link}"},
}

var guidePointers = []phrase{
	{"Dazu gibt es eine gute Anleitung: {link}", "There is a good guide to that: {link}"},
}

var serviceAnswers = []phrase{
	{"Danke für die Meldung. Bitte prüft zuerst die Version, mit 5.2 ist das behoben.",
		"Thank you for the report. Please check the version first, it is fixed in 5.2."},
	{"Wir haben das nachgestellt: Ein Neustart des Funkempfängers hilft, ein Update folgt.",
		"We could reproduce this: restarting the radio receiver helps, an update will follow."},
}

var ideas = []struct{ title, text phrase }{
	{phrase{"Anzeige im {room} nachts abdunkeln", "Dim the display in the {room} at night"},
		phrase{"Die Anzeige vom {device} ist nachts zu hell. Schön wäre ein Nachtmodus nach Sonnenuntergang.",
			"The display of the {device} is too bright at night. A night mode after sunset would be nice."}},
	{phrase{"Urlaubsmodus mit Rückkehrdatum", "Holiday mode with a date of return"},
		phrase{"Ein Urlaubsmodus, der auch im {room} rechtzeitig wieder aufheizt, würde uns viel Arbeit sparen.",
			"A holiday mode that heats up the {room} in time would save us a lot of work."}},
	{phrase{"{device}: leiserer Betrieb", "{device}: quieter operation"},
		phrase{"Der {device} klackt im {room} hörbar. Bitte eine leise Betriebsart für die Nacht.",
			"The {device} clicks audibly in the {room}. Please offer a quiet mode for the night."}},
	{phrase{"Fenster offen erkennen im {room}", "Detect open windows in the {room}"},
		phrase{"Wenn die Temperatur im {room} plötzlich fällt, sollte der {device} abschalten.",
			"When the temperature in the {room} falls suddenly, the {device} should switch off."}},
	{phrase{"Verbrauch je Raum, auch im {room}", "Consumption for each room, the {room} too"},
		phrase{"Ich wünsche mir den Verbrauch je Raum, damit wir ihn im {room} mit dem Rest vergleichen können.",
			"I wish for the consumption of each room, so that we can compare the {room} with the rest."}},
	{phrase{"Offene Schnittstelle für {device}", "An open interface for the {device}"},
		phrase{"Eine dokumentierte Schnittstelle im lokalen Netz für den {device} wäre ein Grund, mehr davon zu kaufen.",
			"A documented interface in the local network for the {device} would be a reason to buy more of them."}},
}

var ideaReplies = []phrase{
	{"Dafür, das fehlt mir auch.", "In favour, I miss that too."},
	{"Gute Idee, bei uns wäre es vor allem im Winter nützlich.", "Good idea, for us it would be useful in winter above all."},
}

var ideaAnswers = []phrase{
	{"Das nehmen wir auf: Es ist für das nächste große Update geplant, weil viele danach fragen.",
		"We will take this up: it is planned for the next big update, because many ask for it."},
	{"Das werden wir nicht bauen: Die Anzeige kann es technisch nicht. Wir prüfen aber eine Lösung in der App.",
		"We will not build this: the display cannot do it. But we will look into a solution in the app."},
	{"Danke, wir haben es dem Entwicklungsteam mit euren Beispielen gegeben und melden uns im Herbst.",
		"Thank you, we have passed it on to the developers with your examples and will report back in autumn."},
}

var guides = []struct{ title, text phrase }{
	{phrase{"Anleitung: {room} in einer Stunde abgleichen", "Guide: balancing the {room} in an hour"},
		phrase{"So gehe ich vor: alle Ventile öffnen, eine Stunde warten, dann am {device} die Rücklaufwerte angleichen. Mit Tabelle.",
			"This is how I do it: open all valves, wait for an hour, then align the return values at the {device}. With a table."}},
	{phrase{"Anleitung: {device} mit Außenfühler", "Guide: {device} with an outdoor probe"},
		phrase{"Schritt für Schritt, welches Kabel in welche Klemme gehört, und wie die Kennlinie im {room} eingestellt wird.",
			"Step by step: which wire goes into which terminal, and how to set the curve for the {room}."}},
	{phrase{"Anleitung: Funk im {room} ausmessen", "Guide: measuring radio in the {room}"},
		phrase{"Mit der App von Raum zu Raum gehen, Werte notieren, dann den {device} an die beste Stelle setzen.",
			"Walk from room to room with the app, note the values, then put the {device} in the best place."}},
	{phrase{"Anleitung: Sparen mit Zeitplänen im {room}", "Guide: saving with schedules in the {room}"},
		phrase{"Meine Pläne für Werktage und Wochenende, mit den Verbrauchswerten vom {device} vor und nach dem Umstellen.",
			"My schedules for weekdays and weekends, with the consumption of the {device} before and after the change."}},
}

var guideReplies = []phrase{
	{"Hat bei mir genauso geklappt, danke für die Mühe.", "Worked for me just like that, thanks for the effort."},
	{"Sehr klar beschrieben, ich habe es heute umgesetzt.", "Very clear, I did it today."},
	{"Bei der alten Ausführung fehlt die zweite Klemme, sonst stimmt alles.",
		"The old version lacks the second terminal, everything else is right."},
}

var introductions = []phrase{
	{"Hallo zusammen, ich bin neu hier. Wir haben ein altes Haus mit einem {device} im {room} und viel vor.",
		"Hello everybody, I am new here. We have an old house with a {device} in the {room} and many plans."},
	{"Guten Tag, ich lese schon eine Weile mit und stelle mich jetzt vor: Technik ist mein Feierabend, zuletzt im {room}.",
		"Good day, I have been reading for a while and would like to introduce myself: I tinker after work, lately in the {room}."},
}

var welcomes = []phrase{
	{"Herzlich willkommen! Frag einfach, wenn du feststeckst.", "Welcome! Just ask when you are stuck."},
	{"Willkommen in der Runde, bei mir fing es auch im {room} an.", "Welcome, I started in the {room} too."},
	{"Schön, dass du da bist. Schau dir die Anleitungen an, die helfen sehr.",
		"Good to have you here. Have a look at the guides, they help a lot."},
}

var talks = []struct{ title, text phrase }{
	{phrase{"Was habt ihr am Wochenende gebaut?", "What did you build at the weekend?"},
		phrase{"Bei mir war es eine Halterung für den {device}.", "With me it was a bracket for the {device}."}},
	{phrase{"Bilder aus dem {room}", "Pictures of the {room}"},
		phrase{"Hier ein paar Bilder vom Umbau im {room}.", "Here are some pictures of the rebuilding of the {room}."}},
}

var smallTalk = []phrase{
	{"Sieht gut aus!", "Looks good!"},
	{"Bei uns war es der Garten, im {room} ist noch viel zu tun.", "With us it was the garden, the {room} has to wait."},
	{"Da bekomme ich selbst Lust.", "That makes me want to start myself."},
}
